-- Macros that are stored in every snapshot: exact arithmetic and text for matching, for steps, rules and ad-hoc SQL.

-- Without white space of any kind at its ends (DuckDB's trim() removes spaces only).
create or replace macro trimmed(txt) as regexp_replace(txt, '^[\s\p{Z}]+|[\s\p{Z}]+$', '', 'g');

-- quantity × price, rounded half up to the cent; NULL when either is missing, or the product has more digits than money.
-- (The size is checked as DOUBLE first: the optimizer may move an overflowing product out of try().)
create or replace macro line_amount(quantity, price) as cast(round(
    case when abs(cast(quantity as double) * cast(price as double)) < 1e15 then cast(quantity as decimal(24, 6)) end
        * cast(price as decimal(24, 6)), 2) as decimal(18, 2));
-- The calendar day of an instant in a time zone.
create or replace macro local_day(instant, zone) as cast(timezone(zone, instant) as date);

-- ── Exact arithmetic, the only place where money is divided or rounded ──────────────────────────────────────────────
-- A share between two amounts, as DOUBLE; NULL when the second is 0.
create or replace macro ratio(a, b) as cast(a as double) / nullif(cast(b as double), 0);
-- A DOUBLE rounded half up to 1/p (p = 100 for two digits).
create or replace macro round_to(x, p) as cast(floor(cast(x as double) * p + 0.5) as double) / p;
create or replace macro in_cents(a) as cast(cast(a as decimal(38, 2)) * 100 as hugeint);
-- Money divided by a whole number, rounded half away from zero, exact to the cent.
create or replace macro money_div(a, n) as cast(
    cast(cast(sign(a) as bigint) * ((2 * abs(in_cents(a)) + cast(n as hugeint))
        // (2 * nullif(cast(n as hugeint), 0))) as decimal(36, 0)) * 0.01 as decimal(38, 2));
-- One weight's share of an amount in cents, out of the sum of all absolute weights, in whole cents without sign (equal shares if
-- all weights are 0), and the remainder of that division, which decides who gets the cents that are left over.
create or replace macro share_floor(cents, weight, weights, n) as cast(case when weights = 0 then abs(cents) // n
    else abs(cast(cents as hugeint)) * abs(weight) // weights end as bigint);
create or replace macro share_rest(cents, weight, weights) as cast(
    case when weights = 0 then 0 else abs(cast(cents as hugeint)) * abs(weight) % weights end as bigint);
-- The median of money: over whole cents the mean of the two middle values is exact.
create or replace macro median_money(x) as median(cast(cast(x as decimal(38, 2)) * 100 as double)) / cast(100 as double);
create or replace macro days_between(a, b) as date_diff('day', cast(a as date), cast(b as date));
-- The aging band of a number of days; NULL is 'no date'. In Python: auditkit/aging_bands.py.
create or replace macro age_band(days) as case
    when days is null then 'no date' when days < 0 then 'future' when days <= 30 then '0-30' when days <= 60 then '31-60'
    when days <= 90 then '61-90' when days <= 180 then '91-180' else 'over 180' end;
-- How a link was made, in words, from its method. NULL for an unknown method.
create or replace macro how_linked(method) as case method
    when 'manual' then 'a person confirmed it'
    when 'name' then 'the line names the NRB'
    when 'mark' then 'the NRB names the invoice, and the amounts agree'
    when 'amount' then 'by amount alone: chance would hardly make it' end;
-- The order of severities, the highest first. In Python: SEVERITIES of checks/rules.py.
create or replace macro severity_rank(severity) as case severity when 'high' then 1 when 'medium' then 2 when 'low' then 3 end;
-- What Aimsio charges: the markup is a percentage, the vendor's tax is marked up only with SUB_TOTAL_AND_VENDOR_TAX, and the
-- result is rounded half up to the cent. NULL when rate or quantity is missing, or the total has more digits than money.
create or replace macro subtotal_of(rate, quantity, upcharge_percent, vendor_tax) as
    case when (abs(cast(rate as double) * cast(quantity as double)) + abs(cast(coalesce(vendor_tax, 0) as double)))
        * (100 + abs(cast(coalesce(upcharge_percent, 0) as double))) < 1e17 then rate end * quantity;
create or replace macro marked_up(base, upcharge_percent) as
    base + cast(base * coalesce(upcharge_percent, 0) * 0.01 as decimal(38, 16));
create or replace macro total_after_markup(rate, quantity, upcharge_percent, vendor_tax, applies_on) as cast(round(
    case when applies_on = 'SUB_TOTAL_AND_VENDOR_TAX'
        then marked_up(subtotal_of(rate, quantity, upcharge_percent, vendor_tax) + coalesce(vendor_tax, 0), upcharge_percent)
        else marked_up(subtotal_of(rate, quantity, upcharge_percent, vendor_tax), upcharge_percent) + coalesce(vendor_tax, 0)
    end, 2) as decimal(18, 2));

-- ── Text, for matching only: stored values stay as they were sent ──────────────────────────────────────────────────
-- Letters and digits, case-folded; leading zeros stay.
create or replace macro normal_key(txt) as nullif(regexp_replace(lower(txt), '[^\p{L}\p{N}]', '', 'g'), '');
create or replace macro folded(txt) as nullif(lower(trimmed(txt)), '');
-- A reference that is safe to look for in prose: at least 4 characters, one of them a digit; as a token, so without
-- punctuation at its ends.
create or replace macro bare(txt) as regexp_replace(lower(txt), '^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$', '', 'g');
create or replace macro usable_reference(txt) as
    case when length(bare(txt)) >= 4 and regexp_matches(txt, '[0-9]') then bare(txt) end;
-- Case-folded runs of letters, digits and inner - / . _ #
create or replace macro tokens(txt) as
    list_distinct(regexp_extract_all(lower(txt), '[\p{L}\p{N}]+(?:[-/._#]+[\p{L}\p{N}]+)*'));

-- ── Text that looks like other text ─────────────────────────────────────────────────────────────────────────────────
-- As normal_key, without the leading zeros of each run of digits: AP-007 and AP-7 are one.
create or replace macro zero_free_key(txt) as normal_key(regexp_replace(txt, '(^|[^0-9])0+([0-9])', '\1\2', 'g'));
-- One character inserted, deleted or changed, or two neighbors swapped (the most common typo, and two edits to Levenshtein). A
-- letter beyond ASCII may count as two. NULL is not one edit apart. (hamming is tried first: it is a hundred times faster.)
create or replace macro one_edit_apart(a, b) as case
    when a = b then false
    when strlen(a) = strlen(b) then hamming(a, b) = 1 or (hamming(a, b) = 2 and damerau_levenshtein(a, b) = 1)
    when abs(strlen(a) - strlen(b)) = 1 then levenshtein(a, b) = 1
    else false end;
-- The plain form of a character: the single letters and digits of NFKC (full-width, mathematical, circled, subscript), by their
-- position in the code charts.
create or replace macro plain_char(c) as case
    when unicode(c) between 65281 and 65374 then chr(unicode(c) - 65248)                  -- full-width
    when unicode(c) between 119808 and 120483 then chr(97 + (unicode(c) - 119808) % 26)   -- mathematical letters
    when unicode(c) between 120782 and 120831 then chr(48 + (unicode(c) - 120782) % 10)   -- mathematical digits
    when unicode(c) between 9398 and 9449 then chr(97 + (unicode(c) - 9398) % 26)         -- circled letters
    when unicode(c) between 8320 and 8329 then chr(48 + unicode(c) - 8320)                -- subscript digits
    else c end;
-- Cyrillic and Greek letters as the Latin ones they look like (upper and lower case differ in that), and superscript digits.
create or replace macro latin_look(txt) as translate(translate(translate(translate(translate(txt,
    'АВЕЅІЈКМНОРСТУХԌԚԜҮ', 'ABESIJKMHOPCTYXGQWY'), 'аеѕіјорсухһӏԁԛԝґүк', 'aesijopcyxhldqwryk'),
    'ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'), 'οανρικυγχτ', 'oavpikuyxt'), '⁰¹²³⁴⁵⁶⁷⁸⁹', '0123456789');
-- A text as it looks: without invisible characters, look-alikes as plain letters and digits, case-folded. For plain ASCII the
-- same as `folded`.
create or replace macro lookalike_key(txt) as case when not regexp_matches(txt, '[^ -~]') then folded(txt) else folded(
    latin_look(array_to_string(list_transform(string_split(nfc_normalize(
        regexp_replace(txt, '[\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{FE00}-\x{FE0F}]', '', 'g')), ''),
        lambda c: plain_char(c)), ''))) end;

-- ── Names in prose: how an NRB may be called on an invoice line ─────────────────────────────────────────────────────
-- Lower case, without invisible format characters.
create or replace macro visible_text(txt) as regexp_replace(lower(txt), '\p{Cf}', '', 'g');
-- Letters and digits with one '.' for whatever lies between, and none between a letter and a digit: 'AP-10234', 'ap 10234'
-- and 'AP10234' are 'ap10234', but '24-101' is '24.101' and '2410-1' is '2410.1'. NULL where nothing is left.
create or replace macro dotted(txt) as trim(regexp_replace(visible_text(txt), '[^\p{L}\p{N}]+', '.', 'g'), '.');
create or replace macro reference_key(txt) as nullif(
    regexp_replace(regexp_replace(dotted(txt), '([^.0-9])\.([0-9])', '\1\2', 'g'), '([0-9])\.([^.0-9])', '\1\2', 'g'), '');
-- A key without the leading zeros of each run of digits, and without a document word in front (or the key itself).
create or replace macro key_without_zeros(k) as regexp_replace(k, '(^|[^0-9])0+([0-9])', '\1\2', 'g');
create or replace macro key_without_prefix(k) as coalesce(
    nullif(regexp_replace(k, '^(?:invoice|inv|bill|no|nr|num|ref|job)\.?([0-9])', '\1'), ''), k);
create or replace macro key_digits(k) as length(regexp_replace(k, '[^0-9]', '', 'g'));
create or replace macro key_letters(k) as length(regexp_replace(k, '[0-9.]', '', 'g'));
-- How telling a key is. poor: a year, a date, fewer than 4 digits and no letter. distinct: a letter and 3 digits, or 6 digits.
create or replace macro key_form(k) as case
    when key_letters(k) = 0 and (key_digits(k) < 4
        or regexp_full_match(k, '(19|20)[0-9]{2}')
        or regexp_full_match(k, '(19|20)[0-9]{2}\.?(0[1-9]|1[0-2])\.?([0-2][0-9]|3[01])')
        or regexp_full_match(k, '([0-2][0-9]|3[01])\.?(0[1-9]|1[0-2])\.?(19|20)[0-9]{2}')) then 'poor'
    when (key_letters(k) > 0 and key_digits(k) >= 3) or key_digits(k) >= 6 then 'distinct'
    else 'plain' end;
-- A key that may be looked for in prose: 3 digits, or a letter and 2 digits; else NULL.
create or replace macro usable_key(k) as
    case when key_digits(k) >= 3 or (key_letters(k) > 0 and key_digits(k) >= 2) then k end;

-- ── Amounts in whole cents, for matching ────────────────────────────────────────────────────────────────────────────
create or replace macro whole_cents(amount) as cast(cast(amount as decimal(28, 2)) * 100 as bigint);
-- How round an amount is: the largest of these that divides it, in cents. NULL for 0.
create or replace macro roundness(cents) as case
    when cents = 0 then null
    when cents % 1000000 = 0 then 1000000 when cents % 500000 = 0 then 500000 when cents % 250000 = 0 then 250000
    when cents % 50000 = 0 then 50000 when cents % 10000 = 0 then 10000 when cents % 5000 = 0 then 5000
    when cents % 2500 = 0 then 2500 when cents % 500 = 0 then 500 when cents % 100 = 0 then 100
    when cents % 50 = 0 then 50 when cents % 25 = 0 then 25 when cents % 5 = 0 then 5 else 1 end;
-- A line of retention: money that is held back or released, never a cost of its own.
create or replace macro is_retention(words) as
    regexp_matches(visible_text(words), '\b(holdback|hold-back|hold back|retention|retainage)\b');

-- ── Vendors' document numbers ───────────────────────────────────────────────────────────────────────────────────────
-- Letters and digits of a number that is one: it holds a digit other than 0 (N/A, CASH, TBD and 0 are none).
create or replace macro document_number(txt) as case when regexp_matches(txt, '[1-9]') then normal_key(txt) end;
-- Numbers that people write for one document: without leading zeros, the letter O for 0, and a revision letter A or R at the end.
create or replace macro oh_as_zero(txt) as regexp_replace(regexp_replace(regexp_replace(
    lower(txt), '(^|[^\p{L}])o([0-9])', '\10\2', 'g'), '([0-9])o', '\10', 'g'), '([0-9])o', '\10', 'g');
create or replace macro document_family(txt) as case when regexp_matches(txt, '[1-9]')
    then regexp_replace(zero_free_key(oh_as_zero(txt)), '([0-9])[ar]$', '\1') end;
