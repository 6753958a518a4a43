-- invoice_line, nrb_name → line_spot: every place in a line's words where a known name may be. Parameters: none. DuckDB only: it works
-- on lists. A text is cut into atoms (runs of letters or of digits); 1 to 8 atoms with gaps of at most 3 characters and without
-- , ; ( ) between them are a run. The work is done once for each distinct text.

create or replace temp table line_text as
select row_number() over (order by words) as t, words,
    regexp_extract_all(dotted(words), '\p{L}+|\p{N}+') as atoms,
    regexp_extract_all(visible_text(words), '(?:\p{L}+|\p{N}+)([^\p{L}\p{N}]*)', 1) as gaps
from (select distinct words from invoice_line);

-- Runs with a digit, as keys; also without leading zeros, where they have any.
create or replace temp table line_run as
with piece as (
    select t, atoms, gaps, list_transform(range(1, len(atoms) + 1), lambda i: atoms[i] || case when i < len(atoms)
        and (atoms[i] similar to '[0-9].*') = (atoms[i + 1] similar to '[0-9].*') then '.' else '' end) as pieces
    from line_text
), start as (
    select t, atoms, gaps, pieces, unnest(range(1, len(atoms) + 1)) as first from piece
), run as (
    select t, first, cast(first + n as integer) as last, rtrim(array_to_string(pieces[first:first + n], ''), '.') as run
    from start, (select unnest(range(0, 8)) as n)
    where first + n <= len(atoms) and (n = 0 or list_max(list_transform(gaps[first:first + n - 1],
        lambda g: case when length(g) <= 3 and not regexp_matches(g, '[,;()\[\]]') then 0 else 1 end)) = 0)
), keyed as (
    select t, first, last, run as written, run from run where regexp_matches(run, '[0-9]')
    union all
    select t, first, last, run, key_without_zeros(run) from run where regexp_matches(run, '(^|[^0-9])0+[0-9]')
)
select k.t, cast(k.first as integer) as first, k.last, k.written, k.run
from keyed as k
where k.run in (select spelled from nrb_name);

-- What is around each run. said: a document word or # is before it. poor_place: a unit of measure after it, a month before it, or a
-- street within three words. place_word: a word such as unit, truck or station before it. part: it is a piece of a larger token.
create or replace temp table text_spot as
with around as (
    select r.t, r.run, r.written, r.first, r.last, x.atoms,
        case when r.first > 1 and x.gaps[r.first - 1] not like '%;%' then x.atoms[r.first - 1] else '' end as before,
        case when r.first > 1 then x.gaps[r.first - 1] else ' ' end as gap_before,
        case when x.gaps[r.last] not like '%;%' then coalesce(x.atoms[r.last + 1], '') else '' end as after,
        x.gaps[r.last] as gap_after
    from line_run as r join line_text as x on x.t = r.t
), judged as (
    select t, run, written, first, last, atoms, before, gap_before, after, gap_after,
        regexp_full_match(before, 'inv|invoice|bill|no|nr|num|number|ref|reference|receipt|rcpt|ticket|po|tkt') as after_document_word
    from around
)
select t, run, first, last,
    bool_or(after_document_word or gap_before like '%#%') as said,
    bool_and(
        (key_letters(written) = 0 and trim(gap_after) = '' and regexp_full_match(after,
            'm|l|t|h|g|ft|in|mm|cm|km|kg|lb|lbs|hr|hrs|hours?|days?|wks?|weeks?|months?|pcs|ea|psi|hp|kw|kva|gal|gallons?'
            || '|lit(re|er)s?|ton(ne)?s?|yd|yds|bbl|feet|met(re|er)s?|mi|miles|units?|ppm|sq'))
        or (key_digits(written) <= 4 and regexp_full_match(before,
            'jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?'))
        or (key_letters(written) = 0 and key_digits(written) <= 6 and list_has_any(atoms[last + 1:last + 3],
            ['street', 'st', 'avenue', 'ave', 'road', 'rd', 'drive', 'dr', 'lane', 'highway', 'hwy', 'blvd', 'crescent', 'cres',
                'court', 'place']))
    ) as poor_place,
    bool_and(regexp_full_match(before, 'unit|truck|station|sta|suite|lot|room|phase|well|pad|highway|hwy|rig|model|size|area|zone'
        || '|bolts?|crew|standby|part|sku|serial|item|stock')) as place_word,
    bool_and(
        (regexp_full_match(gap_before, '[-–—‑/._+*&]?') and before <> '' and not after_document_word
            and not (gap_before = '/' and (written similar to '[^0-9].*' or key_digits(written) >= 4))
            and not (before similar to '[0-9]+' and written similar to '[^0-9].*'))
        or (regexp_full_match(gap_after, '[-–—‑/._+*&]?') and after <> '' and not (gap_after <> '' and key_letters(after) >= 2)
            and not (gap_after = '/' and key_digits(written) >= 4))
    ) as part
from judged
group by t, run, first, last;

insert into line_spot by name
select l.jnid, l.position, s.run, s.first, s.last, s.said, s.poor_place, s.place_word, s.part
from invoice_line as l
join line_text as x on x.words = l.words
join text_spot as s on s.t = x.t
order by l.jnid, l.position, s.first, s.last, s.run;

drop table line_text;
drop table line_run;
drop table text_spot;
