//! The native API and the composed router, through a whole server without a socket.

mod authorisation;
mod backups;
mod bad_input;
mod composed;
mod conditions;
mod documents;
mod nouns;
mod stream;
