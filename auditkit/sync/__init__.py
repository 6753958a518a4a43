"""Every source → the raw tables of a draft snapshot, with a proof that the read is complete, or the reason why not."""
