//! A card behind a loopback socket.
//!
//! Frames both ways: length as two bytes big-endian, then so many bytes. Client to server: a command APDU; a frame of length 0 means
//! "the card is held to the reader (again)" and is not answered. Server to client: a response APDU; a frame of length 0 means "the card
//! has left the field", and every command is answered so until the next length 0 from the client. A new connection begins with the card
//! in the field, freshly powered. One reader at a time; the server goes on after a dropped connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::field::Field;

/// How long a reader waits for a card's answer.
const PATIENCE: Duration = Duration::from_secs(10);

fn write_frame(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
    let length = u16::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(bytes);
    stream.write_all(&frame)
}

fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Serves a card (or a [`Field`]) until the listener fails; connections are taken one after the other.
pub fn serve(listener: TcpListener, field: impl Into<Field>) -> io::Result<()> {
    serve_shared(&listener, &Arc::new(Mutex::new(field.into())))
}

/// The same in a thread of its own. The handle reaches the card while it is served.
pub fn spawn(listener: TcpListener, field: impl Into<Field>) -> io::Result<(SocketAddr, Arc<Mutex<Field>>)> {
    let field = Arc::new(Mutex::new(field.into()));
    let address = listener.local_addr()?;
    let shared = Arc::clone(&field);
    std::thread::spawn(move || serve_shared(&listener, &shared));
    Ok((address, field))
}

fn serve_shared(listener: &TcpListener, field: &Arc<Mutex<Field>>) -> io::Result<()> {
    loop {
        let (mut stream, _) = listener.accept()?;
        field.lock().unwrap_or_else(PoisonError::into_inner).reset();
        // Whatever ends this connection, the card waits for the next.
        let _ = serve_one(&mut stream, field);
    }
}

fn serve_one(stream: &mut TcpStream, field: &Arc<Mutex<Field>>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let command = read_frame(stream)?;
        let mut field = field.lock().unwrap_or_else(PoisonError::into_inner);
        if command.is_empty() {
            field.reset();
        } else {
            let response = field.transceive(&command).unwrap_or_default();
            drop(field);
            write_frame(stream, &response)?;
        }
    }
}

/// Why a command got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The card left the field.
    #[error("the card left the field")]
    CardLost,
    /// The connection to the simulator failed.
    #[error("the card simulator cannot be reached")]
    Io(#[from] io::Error),
}

/// The reader's end of the socket.
#[derive(Debug)]
pub struct SocketChannel {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl SocketChannel {
    /// Connects; the card is in the field.
    pub fn connect(address: impl ToSocketAddrs) -> io::Result<Self> {
        let address = address.to_socket_addrs()?.next().ok_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable))?;
        let stream = Some(Self::open(address)?);
        Ok(Self { address, stream })
    }

    fn open(address: SocketAddr) -> io::Result<TcpStream> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// One command, one response.
    pub fn transceive(&mut self, command: &[u8]) -> Result<Vec<u8>, ChannelError> {
        let stream = self.stream.as_mut().ok_or(ChannelError::CardLost)?;
        let response = write_frame(stream, command).and_then(|()| read_frame(stream));
        match response {
            Ok(response) if response.is_empty() => Err(ChannelError::CardLost),
            Ok(response) => Ok(response),
            Err(error) => {
                // Half a frame may be under way: this connection is of no more use.
                self.stream = None;
                Err(error.into())
            }
        }
    }

    /// The card is held to the reader again; connects anew when the connection was lost.
    pub fn reset(&mut self) -> Result<(), ChannelError> {
        let told = self.stream.as_mut().is_some_and(|stream| write_frame(stream, &[]).is_ok());
        if !told {
            self.stream = Some(Self::open(self.address)?);
        }
        Ok(())
    }
}
