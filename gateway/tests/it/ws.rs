//! Sockets, seen from their clients.

mod catching_up;
mod handshake;
mod life;
mod notify;
mod sessions;
mod several;
mod stage;
mod window;
