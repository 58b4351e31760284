//! PgBouncer, which deals transactions out to a few connections.

use testkit::databases::process::{Folder, LOOPBACK, Server, free_port, program};

pub(crate) struct Bouncer {
    server: Server,
    _folder: Folder,
}

impl Bouncer {
    pub(crate) fn before(port: u16) -> Self {
        let folder = Folder::new();
        let own = free_port();
        folder.write("users", "\"dunlin\" \"pa:ss@w/rd\"\n");
        let lines = format!(
            "[databases]\n* = host={LOOPBACK} port={port}\n[pgbouncer]\nlisten_addr={LOOPBACK}\n\
             listen_port={own}\nauth_type=plain\nauth_file={}\npool_mode=transaction\n\
             default_pool_size=3\nunix_socket_dir=\nserver_round_robin=1\n",
            folder.join("users").display()
        );
        let conf = folder.write("conf", &lines);
        let bouncer = program("pgbouncer", &["/usr/sbin".into()]);
        let server = Server::start(&folder, own, "KILL", &[&bouncer, conf.to_str().unwrap()]);
        Self { server, _folder: folder }
    }

    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }
}
