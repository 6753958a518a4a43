-- Who accepted the finding $fingerprint, why, and why it no longer counts (NULL: it counts).
select note, who, until, accepted_at, amount_at_risk, evidence, lapsed from acceptance where fingerprint = $fingerprint
