//! The child's side of the supervision: a helper process ends when the process that started it is gone.
//!
//! The parent keeps the write end of the child's standard input and never writes to it after the first lines; when the parent ends, however it
//! ends, the kernel closes the pipe and the child reads end-of-file. No signal, no process group, no platform call is needed.
use std::io::Read;
use std::sync::mpsc::Receiver;

/// Reads standard input to its end on a thread of its own and reports that once.
pub fn watch_stdin() -> Receiver<()> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 256];
        let mut input = std::io::stdin().lock();
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Err(e) if e.kind() != std::io::ErrorKind::Interrupted => break,
                Ok(_) | Err(_) => {}
            }
        }
        // The receiver may be gone already; then nobody waits for this.
        let _ = sender.send(());
    });
    receiver
}
