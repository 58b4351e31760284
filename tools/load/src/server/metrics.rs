//! Reads a server's metrics (the Prometheus text format) over HTTP, on a new connection each time.
//! It must not know what they mean.

use crate::net::http;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(5);

/// What a server said of itself once.
pub(crate) struct Metrics {
    text: String,
}

impl Metrics {
    /// What `http://address/metrics` says now.
    pub(crate) fn read(address: SocketAddr) -> Result<Self> {
        let exchange = || -> Result<Vec<u8>> {
            let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
            stream.set_read_timeout(Some(TIMEOUT))?;
            let request = "GET /metrics HTTP/1.1\r\nHost: load\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes())?;
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = exchange().with_context(|| format!("cannot read the metrics at {address}"))?;
        let Some(answer) = http::response(&bytes).filter(|answer| answer.status == 200) else {
            bail!("the metrics at {address} were answered with {}", bytes.escape_ascii());
        };
        Ok(Self { text: String::from_utf8_lossy(answer.body).into_owned() })
    }

    /// All values of the metric called `name` behind a prefix, whatever their labels, added up.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.labelled(name, "")
    }

    /// The same of those whose labels contain `label`.
    pub(crate) fn labelled(&self, name: &str, label: &str) -> f64 {
        let value = |line: &str| {
            let (series, value) = line.rsplit_once(' ')?;
            let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
            let wanted = metric.strip_suffix(name)?;
            let wanted = wanted.is_empty() || wanted.ends_with('_');
            (wanted && labels.contains(label)).then(|| value.parse::<f64>().ok())?
        };
        self.text.lines().filter(|line| !line.starts_with('#')).filter_map(value).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_added_up_over_labels() {
        let text = "# TYPE a_peers gauge\na_peers{state=\"ready\",port=\"1\"} 2\n\
                    a_peers{state=\"joining\"} 1\na_sent_total 3.5\nnopeers 9\n";
        let metrics = Metrics { text: text.to_owned() };
        assert_eq!(metrics.sum("peers"), 3.0);
        assert_eq!(metrics.labelled("peers", "state=\"ready\""), 2.0);
        assert_eq!(metrics.sum("sent_total"), 3.5);
        assert_eq!(metrics.sum("unknown"), 0.0);
    }
}
