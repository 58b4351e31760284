//! A socket to a server, encrypted or not.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::tls::TlsOptions;
use crate::{Address, ConnectError};

/// After how long without traffic the system asks whether the server is there; who uses a
/// connection should ask more often than that.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// How often it asks, then.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// What bytes come from and go to.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

pub(crate) type RedisStream = Box<dyn Socket>;

pub(crate) async fn open(
    address: &Address,
    tls: Option<&TlsOptions>,
) -> Result<RedisStream, ConnectError> {
    let failed = |error| ConnectError::Network { address: address.clone(), error };
    let tcp = tcp(address).await.map_err(failed)?;
    let Some(tls) = tls else { return Ok(Box::new(tcp)) };
    let (connector, server) = tls.connector(&address.host)?;
    Ok(Box::new(connector.connect(server, tcp).await.map_err(failed)?))
}

async fn tcp(address: &Address) -> io::Result<TcpStream> {
    let stream = TcpStream::connect((address.host.as_str(), address.port)).await?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    Ok(stream)
}
