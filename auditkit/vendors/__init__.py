"""What reaches the network: both vendors' clients."""
