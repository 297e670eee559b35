//! A daemon as a test holds it.
