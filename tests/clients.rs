//! Other people's programs against the emulator, as their documentation says to
//! use them.

mod aws_cli;
mod boto3;
mod containers;
mod cosign;
mod documentation;
mod images;
mod javascript;
mod registry;
mod terraform;
