//! Sampling
