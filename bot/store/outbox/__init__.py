"""The outbox: every post that a channel should get, from planning to confirmation."""
