-- The fingerprints of acceptances in force that begin with $start, at most four.
select fingerprint from acceptance where starts_with(fingerprint, $start) order by fingerprint limit 4
