-- Macros that read one JSON token: the text of a value as the vendor sent it, a string with its quotes; NULL for null and
-- for a missing field. Most tokens are regular: is_irregular_* is false, and plain_* is a cast. The others go through
-- read_*, which gives NULL for what cannot be read; reason() then says why, and form() names what is unusual about a
-- token that was read. auditkit/values.py reads by the same rules.

create or replace temp macro is_string(token) as starts_with(token, '"');
create or replace temp macro is_number(token) as token >= '-' and token < ':';
create or replace temp macro inside_quotes(token) as substr(token, 2, length(token) - 2);
create or replace temp macro digits(token) as case when is_string(token) then inside_quotes(token) else token end;
create or replace temp macro unquoted(token) as cast(token as json) ->> '$';
create or replace temp macro is_blank(token) as is_string(token) and not regexp_matches(unquoted(token), '[^\s\p{Z}]');

-- ── Bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────
-- Text that was cut in the middle of an emoji ends in half a character (\ud83d), for which DuckDB refuses the whole body.
-- So halves are left out, and whole pairs and escaped backslashes stay.
create or replace temp macro has_half_characters(body) as regexp_matches(body, '\\u[dD][89a-fA-F]') and not json_valid(body);
create or replace temp macro without_half_characters(body) as regexp_replace(body,
    '(\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '\1', 'g');
-- The tokens of a body as a struct; NULL where it is not JSON.
create or replace temp macro read_body(body, spec) as
    coalesce(try(json_transform(body, spec)), try(json_transform(without_half_characters(body), spec)));

-- ── Text: as it was sent; blank is NULL, and a number is its digits as they are written ─────────────────────────────
-- Regular: a string that begins with a printable ASCII character (after ") and holds no escape.
create or replace temp macro is_irregular_text(token) as
    not (token >= '"#' and token < '"~' and not contains(token, '\'));
create or replace temp macro plain_text(token) as inside_quotes(token);
create or replace temp macro read_text(token) as case
    when is_number(token) then token when is_string(token) and not is_blank(token) then unquoted(token) end;

-- ── Numbers: exact, below 10^15, rounded half up to six decimals (a writer of floats makes 16392.469999999998) ──────
create or replace temp macro is_numeral(token) as
    regexp_full_match(token, '"?-?[0-9]{1,20}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?"?');
create or replace temp macro read_number(token) as
    case when is_numeral(token) then try_cast(try_cast(digits(token) as decimal(38, 6)) as decimal(21, 6)) end;

create or replace temp macro is_irregular_quantity(token) as
    not regexp_full_match(token, '"?-?[0-9]{1,15}(\.[0-9]{1,6})?"?');
create or replace temp macro plain_quantity(token) as cast(digits(token) as decimal(24, 6));
create or replace temp macro read_quantity(token) as cast(read_number(token) as decimal(24, 6));

create or replace temp macro is_irregular_money(token) as
    not regexp_full_match(token, '"?-?[0-9]{1,15}(\.[0-9]{1,2}0{0,4})?"?');
create or replace temp macro plain_money(token) as cast(digits(token) as decimal(18, 2));
create or replace temp macro read_money(token) as cast(round(read_number(token), 2) as decimal(18, 2));

-- Whole, of at most nine digits: a number with decimals does not fit into a DECIMAL(9, 0) unchanged.
create or replace temp macro is_irregular_code(token) as not regexp_full_match(token, '"?-?[0-9]{1,9}"?');
create or replace temp macro plain_code(token) as cast(digits(token) as integer);
create or replace temp macro read_code(token) as
    case when read_number(token) % 1 = 0 then cast(try_cast(read_number(token) as decimal(9, 0)) as integer) end;

-- ── Flags: true and false, also as text of any case, and as 1 and 0 ─────────────────────────────────────────────────
create or replace temp macro is_irregular_flag(token) as token not in ('true', 'false');
create or replace temp macro plain_flag(token) as token = 'true';
create or replace temp macro read_flag(token) as case
    when lower(token) in ('"true"', '"1"', '1', 'true') then true
    when lower(token) in ('"false"', '"0"', '0', 'false') then false end;

-- ── Instants: epoch milliseconds or seconds; 0 seconds is unset in JobNimbus. Regular: whole, of about 2005 to 2100 ─
create or replace temp macro is_irregular_instant_ms(token) as
    not regexp_full_match(token, '"?(1[2-9][0-9]{11}|[23][0-9]{12}|40[0-9]{11})"?');
create or replace temp macro plain_instant_ms(token) as make_timestamptz(cast(digits(token) as bigint) * 1000);
create or replace temp macro read_instant_ms(token) as make_timestamptz(try_cast(read_number(token) * 1000 as bigint));
create or replace temp macro is_irregular_instant_s(token) as
    not regexp_full_match(token, '"?(1[2-9][0-9]{8}|[23][0-9]{9}|40[0-9]{8})"?');
create or replace temp macro plain_instant_s(token) as make_timestamptz(cast(digits(token) as bigint) * 1000000);
create or replace temp macro read_instant_s(token) as
    make_timestamptz(try_cast(cast(nullif(read_number(token), 0) as decimal(38, 6)) * 1000000 as bigint));
-- Only the years 1900 to 2199 are dates of an audit; r_dated() cuts the others off.
create or replace temp macro dated(instant) as
    case when instant >= timestamptz '1900-01-01 00:00:00+00' and instant < timestamptz '2200-01-01 00:00:00+00' then instant end;

-- ── Lists and objects: unnested elsewhere ───────────────────────────────────────────────────────────────────────────
create or replace temp macro is_irregular_list(token) as not starts_with(token, '[');
create or replace temp macro is_irregular_object(token) as not starts_with(token, '{');
-- The elements of a list as tokens, or NULL. Inside an object, as only there DuckDB keeps numbers as they are written.
create or replace temp macro elements(token) as
    json_transform('{"list":' || token || '}', '{"list":["JSON"],"exact":"DECIMAL(1,0)"}').list;

-- ── Days ────────────────────────────────────────────────────────────────────────────────────────────────────────────
-- A date without a time is sent as midnight, of date_zone where one was recognized (typed/date_zone.sql).
create or replace temp macro calendar_day(instant, zone, date_zone) as case
    when cast(timezone(date_zone, instant) as time) = time '00:00' then local_day(instant, date_zone)
    else local_day(instant, zone) end;

-- ── What to say of an irregular token, with n its read_number() ─────────────────────────────────────────────────────
create or replace temp macro shown(token) as case left(token, 1)
    when '[' then 'a list' when '{' then 'an object' when '"' then '"' || left(unquoted(token), 40) || '"'
    else left(token, 40) end;
-- An instant in seconds, whatever its unit; the range of a year, and the years that an audit is likely to meet.
create or replace temp macro in_seconds(kind, n) as case when kind in ('instant_ms', 'date_ms') then n * 0.001 else n end;
create or replace temp macro is_dated(seconds) as seconds >= -2208988800 and seconds < 7258118400;
create or replace temp macro is_likely(seconds) as seconds >= 1104537600 and seconds < 4102444800;
-- What was expected instead of a token that cannot be read; NULL where it can.
create or replace temp macro expected(kind, token, n) as case
    when kind = 'text' then case when not is_string(token) and not is_number(token) then 'text' end
    when kind = 'list' then case when not starts_with(token, '[') then 'a list' end
    when kind = 'object' then case when not starts_with(token, '{') then 'an object' end
    when is_blank(token) then null
    when kind = 'flag' then case when read_flag(token) is null then 'true or false' end
    when kind = 'code' then case when n % 1 = 0 and abs(n) < 1000000000 then null else 'a whole number of at most 9 digits' end
    when kind in ('money', 'quantity') then case
        when n is not null then null
        when is_numeral(token) then 'a number of at most 15 digits before the point'
        else 'a number such as 862.50' end
    when is_dated(in_seconds(kind, n)) then null
    else case when kind in ('instant_ms', 'date_ms') then 'epoch milliseconds' else 'epoch seconds' end
        || case when is_numeral(token) then ' between the years 1900 and 2200' else '' end
    end;
-- What is unusual about a token that was read; NULL where nothing is.
create or replace temp macro form(kind, token, n) as case
    when kind = 'text' then case when is_number(token) then 'a number for a text' end
    when kind in ('list', 'object') then null
    when is_blank(token) then 'an empty text'
    when kind = 'flag' then case when is_irregular_flag(token) then 'another word for true or false' end
    when kind = 'money' and n <> round(n, 2) then 'rounded to cents'
    when kind in ('money', 'quantity') and regexp_matches(token, '\.[0-9]{6}[0-9]*[1-9]')
        then case kind when 'money' then 'noise of a float' else 'rounded to six decimals' end
    when regexp_matches(token, '[eE]') then 'an exponent'
    when kind in ('money', 'quantity') then null
    when contains(token, '.') then 'decimals in a whole number'
    when kind <> 'code' and not is_likely(in_seconds(kind, n)) and (n <> 0 or kind in ('instant_ms', 'date_ms'))
        then 'a year before 2005 or after 2099'
    end;
