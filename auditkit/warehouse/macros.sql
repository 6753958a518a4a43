-- Macros that live in every snapshot: strict typing of wire text (used by typed/*.sql) and exact arithmetic (used by checks).

-- ── Reading JSON exactly ────────────────────────────────────────────────────────────────────────────────────────────
-- The source text of each named field. Numbers keep their literal ('1e3', '37.500') because the target names a DECIMAL:
-- without one DuckDB reads numbers as DOUBLE and writes them back in its own way.
create or replace macro json_spec(fields) as
    '{' || array_to_string(list_transform(fields, lambda f: '"' || f || '":"VARCHAR"'), ',') || ',"exact":"DECIMAL(1,0)"}';
-- The JSON type of each named field: VARCHAR, DOUBLE, UBIGINT, BIGINT, BOOLEAN, NULL, or the structure of a list or object.
create or replace macro json_kinds(body, fields) as json_transform(json_structure(body), json_spec(fields));

create or replace macro is_unset(kind) as kind is null or kind = 'NULL';
create or replace macro is_number(kind) as kind in ('DOUBLE', 'UBIGINT', 'BIGINT', 'HUGEINT', 'UHUGEINT');
create or replace macro shown(txt) as '"' || left(txt, 40) || '"';

-- ── Refusals: NULL when the text may be typed, else one line that names the field ───────────────────────────────────
create or replace macro refuse_text(field, kind) as
    case when not is_unset(kind) and kind <> 'VARCHAR' then field || ': expected text, found ' || lower(left(kind, 20)) end;

create or replace macro refuse_flag(field, kind, txt) as
    case when not is_unset(kind) and kind <> 'BOOLEAN' then field || ': expected true or false, found ' || shown(txt) end;

create or replace macro refuse_list(field, kind) as
    case when not is_unset(kind) and kind not like '[%' then field || ': expected a list, found ' || lower(left(kind, 20)) end;

create or replace macro refuse_quantity(field, kind, txt) as
    case
        when is_unset(kind) then null
        when not (is_number(kind) or kind = 'VARCHAR') then field || ': expected a number, found ' || lower(left(kind, 20))
        when not regexp_full_match(txt, '-?[0-9]{1,15}(\.[0-9]{1,6})?')
            then field || ': expected digits such as 862.50, found ' || shown(txt)
    end;

create or replace macro refuse_money(field, kind, txt) as
    coalesce(
        refuse_quantity(field, kind, txt),
        case when try_cast(txt as decimal(24, 6)) <> round(try_cast(txt as decimal(24, 6)), 2)
            then field || ': expected whole cents, found ' || shown(txt) end
    );

create or replace macro refuse_whole(field, kind, txt, pattern) as
    case
        when is_unset(kind) then null
        when not (is_number(kind) or kind = 'VARCHAR') or not regexp_full_match(txt, pattern)
            then field || ': expected a whole number, found ' || shown(txt)
    end;
create or replace macro refuse_code(field, kind, txt) as refuse_whole(field, kind, txt, '-?[0-9]{1,9}');

-- Years 2005 to 2100 only, so that seconds can never pass for milliseconds.
create or replace macro refuse_epoch(field, kind, txt, per_second) as
    coalesce(
        refuse_whole(field, kind, txt, '-?[0-9]{1,16}'),
        case when try_cast(txt as bigint) < cast(1104537600 as bigint) * per_second or try_cast(txt as bigint) >= cast(4102444800 as bigint) * per_second
            then field || ': ' || txt || ' is not between 2005 and 2100 in epoch '
                || case when per_second = 1 then 'seconds' else 'milliseconds' end end
    );
create or replace macro refuse_ms(field, kind, txt) as refuse_epoch(field, kind, txt, 1000);
create or replace macro refuse_s(field, kind, txt) as case when txt = '0' then null else refuse_epoch(field, kind, txt, 1) end;

-- Without white space of any kind at its ends (DuckDB's trim() knows spaces only).
create or replace macro trimmed(txt) as regexp_replace(txt, '^[\s\p{Z}]+|[\s\p{Z}]+$', '', 'g');

-- ── Typing of text that was not refused ─────────────────────────────────────────────────────────────────────────────
create or replace macro to_text(txt) as case when trimmed(txt) <> '' then txt end;  -- empty is NULL; else as it came
create or replace macro to_money(txt) as cast(txt as decimal(18, 2));
create or replace macro to_quantity(txt) as cast(txt as decimal(24, 6));
create or replace macro to_instant_ms(txt) as make_timestamptz(cast(txt as bigint) * 1000);
create or replace macro to_instant_s(txt) as make_timestamptz(nullif(cast(txt as bigint), 0) * 1000000);
-- quantity × price, half up to the cent; NULL when either is missing, or the product has more digits than money.
-- (The size is looked at as DOUBLE first: an optimiser may move an overflowing product out of try().)
create or replace macro line_amount(quantity, price) as cast(round(
    case when abs(try_cast(quantity as double) * try_cast(price as double)) < 1e15 then try_cast(quantity as decimal(24, 6)) end
        * try_cast(price as decimal(24, 6)), 2) as decimal(18, 2));
create or replace macro local_day(instant, zone) as cast(timezone(zone, instant) as date);

-- ── Exact arithmetic, the only place where money is divided or rounded ──────────────────────────────────────────────
-- A share between two amounts, as DOUBLE; NULL when the second is 0.
create or replace macro ratio(a, b) as cast(a as double) / nullif(cast(b as double), 0);
-- A DOUBLE rounded half up to 1/p (p = 100 for two digits).
create or replace macro round_to(x, p) as cast(floor(cast(x as double) * p + 0.5) as double) / p;
create or replace macro in_cents(a) as cast(cast(a as decimal(38, 2)) * 100 as hugeint);
-- Money divided by a whole number, half away from zero, exact to the cent.
create or replace macro money_div(a, n) as cast(
    cast(cast(sign(a) as bigint) * ((2 * abs(in_cents(a)) + cast(n as hugeint))
        // (2 * nullif(cast(n as hugeint), 0))) as decimal(36, 0)) * 0.01 as decimal(38, 2));
-- The part of an amount that falls to one weight out of a sum of absolute weights, cut to the cent towards zero (equal parts
-- where all weights are 0), and the remainder of that division, by which the cents left over are dealt out.
create or replace macro share_floor(amount, weight, weights, n) as cast(sign(amount) * 0.01 * cast(
    case when weights = 0 then abs(in_cents(amount)) // n
        else abs(in_cents(amount)) * abs(in_cents(weight)) // in_cents(weights) end as decimal(18, 0)) as decimal(18, 2));
create or replace macro share_rest(amount, weight, weights) as
    case when weights = 0 then 0 else abs(in_cents(amount)) * abs(in_cents(weight)) % in_cents(weights) end;
-- The median of money: over whole cents the mean of the two middle values is exact.
create or replace macro median_money(x) as median(cast(cast(x as decimal(38, 2)) * 100 as double)) / cast(100 as double);
create or replace macro days_between(a, b) as date_diff('day', cast(a as date), cast(b as date));
-- The aging band of a number of days; NULL is 'no date'. In Python: auditkit/aging_bands.py.
create or replace macro age_band(days) as case
    when days is null then 'no date' when days < 0 then 'future' when days <= 30 then '0-30' when days <= 60 then '31-60'
    when days <= 90 then '61-90' when days <= 180 then '91-180' else 'over 180' end;
-- How a link was made, in words, from its method. NULL for an unknown method.
create or replace macro how_linked(method) as case method
    when 'manual' then 'a person said so'
    when 'billed-guid' then 'its billed mark is the id of the invoice'
    when 'billed-number' then 'its billed mark is the number of the invoice'
    when 'external-id' then 'they share an external id'
    when 'reference' then 'the line names a reference of the NRB'
    when 'amount' then 'the only equal amount on both sides: by amount alone'
    when 'group' then 'the only set whose amounts sum to it: by amount alone' end;
-- The order of severities, the highest first. In Python: SEVERITIES of checks/rules.py.
create or replace macro severity_rank(severity) as case severity when 'high' then 1 when 'medium' then 2 when 'low' then 3 end;
-- What Aimsio charges: mark-up is a percentage; the vendor's tax is marked up only with SUB_TOTAL_AND_VENDOR_TAX; rounded half
-- up to the cent at the end. NULL when rate or quantity is missing, or the total has more digits than money.
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

-- ── Text, for matching only: stored values stay as they came ────────────────────────────────────────────────────────
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
-- One character put in, left out or changed, or two neighbours swapped (the commonest slip, and two edits to Levenshtein). A letter
-- beyond ASCII may count as two. NULL is not one edit apart. (Cheapest first: hamming is a hundred times faster than the others.)
create or replace macro one_edit_apart(a, b) as case
    when a = b then false
    when strlen(a) = strlen(b) then hamming(a, b) = 1 or (hamming(a, b) = 2 and damerau_levenshtein(a, b) = 1)
    when abs(strlen(a) - strlen(b)) = 1 then levenshtein(a, b) = 1
    else false end;
-- A character as the plain one that it stands for: the single letters and digits of NFKC (full-width, mathematical, circled,
-- subscript), found by their place in the code charts.
create or replace macro plain_char(c) as case
    when unicode(c) between 65281 and 65374 then chr(unicode(c) - 65248)                  -- full-width
    when unicode(c) between 119808 and 120483 then chr(97 + (unicode(c) - 119808) % 26)   -- mathematical letters
    when unicode(c) between 120782 and 120831 then chr(48 + (unicode(c) - 120782) % 10)   -- mathematical digits
    when unicode(c) between 9398 and 9449 then chr(97 + (unicode(c) - 9398) % 26)         -- circled letters
    when unicode(c) between 8320 and 8329 then chr(48 + unicode(c) - 8320)                -- subscript digits
    else c end;
-- Cyrillic and Greek letters as the Latin ones that look like them (capitals look like others than small letters do), and
-- superscript digits.
create or replace macro latin_look(txt) as translate(translate(translate(translate(translate(txt,
    'АВЕЅІЈКМНОРСТУХԌԚԜҮ', 'ABESIJKMHOPCTYXGQWY'), 'аеѕіјорсухһӏԁԛԝґүк', 'aesijopcyxhldqwryk'),
    'ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'), 'οανρικυγχτ', 'oavpikuyxt'), '⁰¹²³⁴⁵⁶⁷⁸⁹', '0123456789');
-- What a reader takes a text for: without characters that cannot be seen, look-alikes as plain letters and digits, case-folded.
-- Plain ASCII stays as `folded` has it.
create or replace macro lookalike_key(txt) as case when not regexp_matches(txt, '[^ -~]') then folded(txt) else folded(
    latin_look(array_to_string(list_transform(string_split(nfc_normalize(
        regexp_replace(txt, '[\p{Cc}\p{Cf}\x{034F}\x{115F}\x{1160}\x{3164}\x{FFA0}\x{FE00}-\x{FE0F}]', '', 'g')), ''),
        lambda c: plain_char(c)), ''))) end;
