//! The toy server: one process, one variant.

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use tokio::runtime::{Builder, Runtime};

use crate::Variant;
use crate::locks::{Flush, Hub, flush_each_turn};
use crate::shards::{self, Mailbox};

const THREADS: usize = 2;

/// Serves for ever; prints the port it listens on.
pub(crate) fn run(variant: Variant) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    io::stdout().flush()?;
    match variant {
        Variant::Sharded => sharded(&listener),
        Variant::Locks => multi_thread(&listener, &Hub::new(Flush::Inline, false)),
        Variant::LocksReadable => multi_thread(&listener, &Hub::new(Flush::Inline, true)),
        Variant::LocksWoken => multi_thread(&listener, &Hub::new(Flush::Woken, false)),
        Variant::LocksYield => multi_thread(&listener, &Hub::new(Flush::Yield, false)),
        Variant::LocksPinned => pinned(&listener, &Hub::new(Flush::Turn, false)),
    }
}

fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let (stream, _) = listener.accept()?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn single() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().build()
}

fn sharded(listener: &TcpListener) -> io::Result<()> {
    let mailboxes: Arc<[Mailbox]> = (0..THREADS).map(|_| Mailbox::default()).collect();
    for me in 0..THREADS {
        let (mailboxes, runtime) = (Arc::clone(&mailboxes), single()?);
        thread::spawn(move || runtime.block_on(shards::run(me, mailboxes)));
    }
    loop {
        shards::adopt(&mailboxes, accept(listener)?)?;
    }
}

fn multi_thread(listener: &TcpListener, hub: &Arc<Hub>) -> io::Result<()> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_io()
        .build()?;
    let _inside = runtime.enter();
    loop {
        let stream = accept(listener)?;
        stream.set_nonblocking(true)?;
        tokio::spawn(Arc::clone(hub).serve(tokio::net::TcpStream::from_std(stream)?));
    }
}

fn pinned(listener: &TcpListener, hub: &Arc<Hub>) -> io::Result<()> {
    let mut handles = Vec::new();
    for _ in 0..THREADS {
        let runtime = single()?;
        handles.push(runtime.handle().clone());
        thread::spawn(move || runtime.block_on(flush_each_turn()));
    }
    for handle in handles.iter().cycle() {
        let stream = accept(listener)?;
        stream.set_nonblocking(true)?;
        let _inside = handle.enter();
        tokio::spawn(Arc::clone(hub).serve(tokio::net::TcpStream::from_std(stream)?));
    }
    Ok(())
}
