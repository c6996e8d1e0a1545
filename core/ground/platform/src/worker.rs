//! Threads for work that may block. One function for all of them: a thread costs more than the box, and `std`'s generic code is then
//! compiled once and not for every kind of work (the phone's library was 0.3 MiB larger).

/// Starts a thread for one piece of work.
///
/// # Errors
///
/// Whatever the system says when it gives no more threads.
pub fn start(name: &'static str, work: Box<dyn FnOnce() + Send>) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}
