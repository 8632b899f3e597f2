//! Session descriptions of real browsers keep their meaning in the compact form, whatever else the browsers write.
//! Nothing that the network brings makes the reader panic, puts a line into a description, or gives a connection
//! media before its other end has proven itself.
#![cfg(not(target_arch = "wasm32"))]

mod compact;
mod properties;
mod renegotiation;
mod samples;
mod wire;
