//! Other people's programs against the emulator, as their documentation says to
//! use them.

mod aws_cli;
mod containers;
mod images;
mod registry;
mod terraform;
