-- The public tables with their comments, a contract for ad-hoc SQL; those of the vendors' records are made from
-- auditkit/fields.py. Money is DECIMAL(18,2) as it was sent, and DECIMAL(38,2) where it is summed or subtracted, so that no
-- sum is too large; rates and quantities are DECIMAL(24,6), instants TIMESTAMPTZ (UTC), calendar days DATE, ids VARCHAR.
-- The tables of the schema `raw`, sync_run and finding_history are carried from snapshot to snapshot; all others are rebuilt.

create schema if not exists raw;
create table if not exists raw.nrb_body (guid varchar, digest varchar, body varchar, first_sync integer, last_sync integer);
comment on table raw.nrb_body is 'One version of one Aimsio NRB, as it came, and the syncs in which it was current. Append-only.';
comment on column raw.nrb_body.guid is 'nrbGuid';
comment on column raw.nrb_body.digest is 'SHA-256 of body, hexadecimal';
comment on column raw.nrb_body.body is 'the exact text of the response';
comment on column raw.nrb_body.first_sync is 'the sync that first saw this version';
comment on column raw.nrb_body.last_sync is 'the last sync in which this version was current';
create table if not exists raw.held (subject_type varchar, subject_id varchar, version bigint, verified_at timestamptz);
comment on table raw.held is 'What is held of one record, so that the next sync reads it only if it must. Aimsio only: the list of JobNimbus holds whole invoices.';
comment on column raw.held.subject_type is 'nrb';
comment on column raw.held.subject_id is 'guid';
comment on column raw.held.version is 'updatedAt of the list row, epoch milliseconds; NULL: the next sync reads it whatever its version is';
comment on column raw.held.verified_at is 'when its content was read last, by the vendor''s clock; NULL: unknown';
create table if not exists raw.unread (subject_type varchar, subject_id varchar, reason varchar, last_read_sync integer);
comment on table raw.unread is 'One record that the newest sync could not read. An older version of it, if there is one, is shown.';
comment on column raw.unread.subject_type is 'nrb or invoice';
comment on column raw.unread.subject_id is 'guid or jnid; of a row without one, a digest of the row in brackets';
comment on column raw.unread.reason is 'what the vendor answered';
comment on column raw.unread.last_read_sync is 'the last sync that read it; NULL: no version of it is held';
create table if not exists raw.invoice_body (jnid varchar, digest varchar, body varchar, first_sync integer, last_sync integer);
comment on table raw.invoice_body is 'One version of one JobNimbus invoice, as its list row came, and the syncs in which it was current. Append-only.';
comment on column raw.invoice_body.jnid is 'JobNimbus id';
comment on column raw.invoice_body.digest is 'SHA-256 of body, hexadecimal';
comment on column raw.invoice_body.body is 'the exact text of the list row';
comment on column raw.invoice_body.first_sync is 'the sync that first saw this version';
comment on column raw.invoice_body.last_sync is 'the last sync in which this version was current';
create table if not exists raw.tombstone (
    subject_type varchar, subject_id varchar, digest varchar, name varchar, job_number varchar, total decimal(18, 2),
    is_active boolean, last_sync integer, vanished_sync integer
);
comment on table raw.tombstone is 'One record that vanished: gone from a complete list, and answered 404 by id. It goes when the record is listed again.';
comment on column raw.tombstone.subject_type is 'nrb or invoice';
comment on column raw.tombstone.subject_id is 'guid or jnid';
comment on column raw.tombstone.digest is 'SHA-256 of its last body';
comment on column raw.tombstone.name is 'nrbName, or the number of the invoice';
comment on column raw.tombstone.job_number is 'nrbJobOrderNumber; NULL for an invoice';
comment on column raw.tombstone.total is 'nrbTotalAfterMarkup or total, as last seen; NULL where it could not be typed';
comment on column raw.tombstone.is_active is 'is_active of an invoice, as last seen; NULL for an NRB';
comment on column raw.tombstone.last_sync is 'the last sync that saw it';
comment on column raw.tombstone.vanished_sync is 'the sync that found it gone';

create table if not exists sync_run (
    sync_id integer, started_at timestamptz, finished_at timestamptz, environment varchar, account varchar,
    status varchar, reason varchar, is_offline boolean, read_at timestamptz, notices varchar
);
comment on table sync_run is 'One run of a sync: whether it was complete. What was read of each vendor is in sync_source.';
comment on column sync_run.sync_id is '1, 2, 3 … in the order of the runs';
comment on column sync_run.started_at is 'when the run began';
comment on column sync_run.finished_at is 'when the run ended';
comment on column sync_run.environment is 'the servers that were read';
comment on column sync_run.account is 'the account that was read: a label made from environment and user name';
comment on column sync_run.status is 'COMPLETE or INCOMPLETE';
comment on column sync_run.reason is 'why a run is INCOMPLETE';
comment on column sync_run.is_offline is 'rebuilt from the cache, without a call and without history';
comment on column sync_run.read_at is 'when the vendors were read: started_at, or that of the read an offline run was rebuilt from';
comment on column sync_run.notices is 'what a person should know although it is no problem: fields that the vendors'' pages do not name, an offline rebuild';

create table if not exists sync_source (
    sync_id integer, source varchar, records varchar, subject_type varchar, listed bigint, fetched bigint, resumed bigint,
    unchanged bigint, changed bigint, quarantined bigint, unread bigint, vanished bigint, verified_again bigint,
    changed_unversioned bigint, oldest_verified_at timestamptz, lists integer, method varchar, end_of_list varchar,
    count_meaning varchar, id_hash varchar,
    control_total decimal(38, 2), other_sums json, first_on date, last_on date, calls bigint, retries bigint, throttled bigint,
    clock_skew_seconds integer
);
comment on table sync_source is 'One source in one run of a sync: the proof that it was read completely, and its control totals.';
comment on column sync_source.sync_id is 'sync_run.sync_id';
comment on column sync_source.source is 'the vendor: Aimsio or JobNimbus';
comment on column sync_source.records is 'what its records are called: NRBs or invoices';
comment on column sync_source.subject_type is 'nrb or invoice';
comment on column sync_source.listed is 'records in the last list of the run';
comment on column sync_source.fetched is 'records whose content was read from the vendor in this run';
comment on column sync_source.resumed is 'records that an earlier run had fetched already, and which came from the cache';
comment on column sync_source.unchanged is 'listed records that were not read, because their version was known already';
comment on column sync_source.changed is 'records that are new or differ from the sync before';
comment on column sync_source.quarantined is 'records that could not be typed';
comment on column sync_source.unread is 'records that could not be read: in quarantine, with the last good version shown if there is one';
comment on column sync_source.verified_again is 'records that were read again although their version did not change';
comment on column sync_source.changed_unversioned is 'of these, records whose content had changed all the same';
comment on column sync_source.oldest_verified_at is 'when the record whose content was read longest ago was read; NULL: unknown, or all were read in this run, as the list holds whole records';
comment on column sync_source.vanished is 'records that vanished: in the sync before, no longer listed, and answered 404 by id';
comment on column sync_source.lists is 'reads of the list until two agreed';
comment on column sync_source.method is 'how the list was read: in one piece, pages that overlap by a row, or date windows';
comment on column sync_source.end_of_list is 'what proved the end of the list';
comment on column sync_source.count_meaning is 'what the vendor''s own count was found to count; NULL if the list has none';
comment on column sync_source.id_hash is 'SHA-256 over the sorted ids';
comment on column sync_source.control_total is 'sum of total_after_markup over leaves, or of total over invoices';
comment on column sync_source.other_sums is 'sums of further amounts, by name: vendor_tax over leaves; subtotal, tax and due';
comment on column sync_source.first_on is 'first created_on of a record';
comment on column sync_source.last_on is 'last created_on of a record';
comment on column sync_source.calls is 'HTTP requests sent, retries included';
comment on column sync_source.retries is 'requests that repeated one that failed';
comment on column sync_source.throttled is 'answers 429';
comment on column sync_source.clock_skew_seconds is 'largest difference between the server''s clock and ours; above 0 the server is ahead';

create or replace view raw.version as
select 'nrb' as subject_type, guid as subject_id, digest, body, first_sync, last_sync from raw.nrb_body
union all
select 'invoice', jnid, digest, body, first_sync, last_sync from raw.invoice_body;
comment on view raw.version is 'One version of one record of any source, and the syncs in which it was current.';
comment on column raw.version.subject_type is 'nrb or invoice';
comment on column raw.version.subject_id is 'guid or jnid';
comment on column raw.version.digest is 'SHA-256 of body, hexadecimal';
comment on column raw.version.body is 'the exact text as it came';
comment on column raw.version.first_sync is 'the sync that first saw this version';
comment on column raw.version.last_sync is 'the last sync in which this version was current';

create table if not exists finding_history (
    fingerprint varchar, rule_id varchar, subject_id varchar, job_number varchar, amount_at_risk decimal(38, 2),
    state varchar, reason varchar, as_of date, sync_id integer
);
comment on table finding_history is 'One change of a finding, of its state, money at risk or job: open when it fires, accepted while a person''s acceptance holds, cleared when it no longer fires. Append-only.';
comment on column finding_history.fingerprint is 'finding.fingerprint';
comment on column finding_history.rule_id is 'rule.rule_id';
comment on column finding_history.subject_id is 'finding.subject_id';
comment on column finding_history.job_number is 'the job then; of a cleared one, the last';
comment on column finding_history.amount_at_risk is 'money at risk then; of a cleared one, the last';
comment on column finding_history.state is 'open, accepted or cleared';
comment on column finding_history.reason is 'of the finding, why it was accepted, or why it is open again';
comment on column finding_history.as_of is 'as_of of the audit that saw the change';
comment on column finding_history.sync_id is 'the sync that it looked at';

create or replace table quarantine (
    subject_type varchar, subject_id varchar, field varchar, reason varchar, digest varchar, sync_id integer
);
comment on table quarantine is 'One record that could not be read, or whose identity could not. It is in no other public table, unless its reason names the sync whose version is shown.';
comment on column quarantine.subject_type is 'nrb or invoice';
comment on column quarantine.subject_id is 'guid or jnid';
comment on column quarantine.field is 'the field that could not be read; (body) or (record): all of it';
comment on column quarantine.reason is 'what was expected and what was found; or why it could not be read';
comment on column quarantine.digest is 'SHA-256 of the raw body; NULL where none is held';
comment on column quarantine.sync_id is 'the sync that read it, or could not';

create or replace table unreadable_field (
    subject_type varchar, subject_id varchar, place varchar, position integer, field varchar, table_name varchar,
    column_name varchar, reason varchar, matters varchar, digest varchar, sync_id integer
);
comment on table unreadable_field is 'One field that was sent and could not be read. Its record is in its table, with NULL for this field.';
comment on column unreadable_field.subject_type is 'nrb or invoice';
comment on column unreadable_field.subject_id is 'guid or jnid';
comment on column unreadable_field.place is 'where in the record, e.g. items[2]; empty: the record itself';
comment on column unreadable_field.position is 'index of the list element, e.g. invoice_item.position; NULL: the record itself';
comment on column unreadable_field.field is 'the name of the field in the vendor''s JSON; empty: the whole list element';
comment on column unreadable_field.table_name is 'the table where it is missing';
comment on column unreadable_field.column_name is 'the column that is NULL because of it; NULL: the whole row, or all rows of a list, could not be read';
comment on column unreadable_field.reason is 'what was expected and what was found';
comment on column unreadable_field.matters is 'money: the audit is incomplete without it; decision: it decides on which job, invoice or side a record counts; NULL: neither';
comment on column unreadable_field.digest is 'SHA-256 of the raw body; NULL for an amount that is computed';
comment on column unreadable_field.sync_id is 'the sync that read it';

create or replace view raw.partly_read as
with broken as (
    select subject_type, subject_id, digest from quarantine
    union
    select subject_type, subject_id, digest from unreadable_field where matters is not null
)
select distinct b.subject_type, b.subject_id, v.body,
    case when json_valid(v.body) and json_type(v.body, '$.number') = 'VARCHAR' then v.body ->> '$.number' end as number
from broken as b
join raw.version as v on v.subject_type = b.subject_type and v.subject_id = b.subject_id and v.digest = b.digest;
comment on view raw.partly_read is 'One current record of which money, a deciding field or the record itself could not be read.';
comment on column raw.partly_read.subject_type is 'nrb or invoice';
comment on column raw.partly_read.subject_id is 'guid or jnid';
comment on column raw.partly_read.body is 'the exact text as it came';
comment on column raw.partly_read.number is 'the number of an invoice; NULL: none, or it could not be read';

create or replace table lenient_reading (
    subject_type varchar, field varchar, form varchar, value_count bigint, rounded_by decimal(38, 6), example varchar,
    example_id varchar, sync_id integer
);
comment on table lenient_reading is 'One unusual form in which a vendor sent values of a field, and in which they were read all the same.';
comment on column lenient_reading.subject_type is 'nrb or invoice';
comment on column lenient_reading.field is 'the name of the field in the vendor''s JSON, e.g. items[].amount; (body): anywhere in it';
comment on column lenient_reading.form is 'what was unusual about the values';
comment on column lenient_reading.value_count is 'how many values were sent so';
comment on column lenient_reading.rounded_by is 'of amounts rounded to cents: the sum of what was read, minus the sum of what was sent';
comment on column lenient_reading.example is 'one of the values, as it was sent';
comment on column lenient_reading.example_id is 'the guid or jnid of its record';
comment on column lenient_reading.sync_id is 'the sync that read them';

create or replace table date_zone (
    subject_type varchar, field varchar, zone varchar, account_zone varchar, value_count bigint, midnight_count bigint
);
comment on table date_zone is 'In which time zone the dates of a vendor are midnights: a date without a time is sent as an instant.';
comment on column date_zone.subject_type is 'nrb or invoice';
comment on column date_zone.field is 'the field that was looked at';
comment on column date_zone.zone is 'the zone in which nearly all values are midnights: these are read as days of it; NULL: none, so all are read as days of the account''s zone';
comment on column date_zone.account_zone is 'the account''s time zone';
comment on column date_zone.value_count is 'values looked at';
comment on column date_zone.midnight_count is 'values that are midnights in zone';

create or replace table vanished (
    subject_type varchar, subject_id varchar, name varchar, job_number varchar, total decimal(18, 2), is_active boolean,
    digest varchar, last_sync integer, vanished_sync integer
);
comment on table vanished is 'One record that was there and vanished: gone from a complete list, and answered 404 by id. It is in no other public table.';
comment on column vanished.subject_type is 'nrb or invoice';
comment on column vanished.subject_id is 'guid or jnid';
comment on column vanished.name is 'nrbName, or the number of the invoice';
comment on column vanished.job_number is 'nrbJobOrderNumber; NULL for an invoice';
comment on column vanished.total is 'nrbTotalAfterMarkup or total, as last seen; NULL where it could not be read';
comment on column vanished.is_active is 'is_active of an invoice, as last seen; NULL for an NRB';
comment on column vanished.digest is 'SHA-256 of its last body in raw';
comment on column vanished.last_sync is 'the last sync that saw it';
comment on column vanished.vanished_sync is 'the sync that found it gone';

create or replace table payment (jnid varchar, position integer, body varchar);
comment on table payment is 'One payment of an invoice. The vendor does not document its fields, so it is kept as it was sent.';
comment on column payment.jnid is 'the invoice';
comment on column payment.position is 'index in the array, from 0';
comment on column payment.body is 'the exact JSON text';

create or replace table line_spot (
    jnid varchar, position integer, run varchar, first integer, last integer, said boolean, poor_place boolean, place_word boolean,
    part boolean
);
comment on table line_spot is 'One place in the words of a line where a name of an NRB may be, and what is around it.';
comment on column line_spot.jnid is 'the invoice';
comment on column line_spot.position is 'the line';
comment on column line_spot.run is 'the name as a key: lower case, letters and digits, a dot between two numbers';
comment on column line_spot.first is 'its first atom (a run of letters or of digits) in the words of the line, from 1';
comment on column line_spot.last is 'its last atom';
comment on column line_spot.said is 'a document word (invoice, ref, PO, #) is right before it';
comment on column line_spot.poor_place is 'a unit of measure after it, a month before it, or a street within three words';
comment on column line_spot.place_word is 'a word such as unit, truck or station is right before it';
comment on column line_spot.part is 'it is a piece of a larger token';

create or replace table related_token (jnid varchar, position integer, token varchar);
comment on table related_token is 'One reference that the name of a related job may hold.';
comment on column related_token.jnid is 'the invoice';
comment on column related_token.position is 'index in invoice_related';
comment on column related_token.token is 'case-folded run of letters, digits and inner - / . _ #';

create or replace table job_map (aimsio_job_number varchar, jobnimbus_job_number varchar, source varchar);
comment on table job_map is 'Which Aimsio job is which JobNimbus job.';
comment on column job_map.aimsio_job_number is 'nrb.job_number';
comment on column job_map.jobnimbus_job_number is 'invoice_related.number, or related_id where job_map.csv says so';
comment on column job_map.source is 'job_map.csv, equal number, equal key (letters and digits alone), key without prefix';

create or replace table invoice_job (jnid varchar, job_key varchar, sure boolean, source varchar);
comment on table invoice_job is 'One Aimsio job that an invoice belongs to, or may belong to.';
comment on column invoice_job.jnid is 'the invoice';
comment on column invoice_job.job_key is 'nrb_status.job_key';
comment on column invoice_job.sure is 'by job_map.csv, by number, or by a name that a line''s reference confirms; else the number is only in the free text of the job';
comment on column invoice_job.source is 'as job_map.source, job name and reference, or job name';

create or replace table agreed_markup (vendor_code varchar, type_name varchar, markup decimal(24, 6));
comment on table agreed_markup is 'What markup.csv says: the markup that a contract gives.';
comment on column agreed_markup.vendor_code is 'Aimsio vendor; NULL: every vendor';
comment on column agreed_markup.type_name is 'Aimsio type; NULL: every type';
comment on column agreed_markup.markup is 'percent';

create or replace table job_suggestion (
    aimsio_job_number varchar, jobnimbus_job_number varchar, jobnimbus_job_name varchar, invoices bigint, confirmed boolean
);
comment on table job_suggestion is 'A JobNimbus job whose name holds the number of an Aimsio job. Write the pair into job_map.csv if it is right.';
comment on column job_suggestion.aimsio_job_number is 'nrb.job_number';
comment on column job_suggestion.jobnimbus_job_number is 'invoice_related.number; else its name, else its id';
comment on column job_suggestion.jobnimbus_job_name is 'invoice_related.name';
comment on column job_suggestion.invoices is 'how many invoices of the JobNimbus job';
comment on column job_suggestion.confirmed is 'a line of one of them has the own reference of an NRB of this Aimsio job: the two count as one job';

create or replace table nrb_name (
    nrb_guid varchar, name varchar, spelled varchar, rank integer, form varchar, loose integer, bearers bigint,
    bearers_cents bigint
);
comment on table nrb_name is 'One way in which an invoice line may call an NRB.';
comment on column nrb_name.nrb_guid is 'a leaf';
comment on column nrb_name.name is 'the name as a key: lower case, letters and digits, a dot between two numbers';
comment on column nrb_name.spelled is 'the spelling that is looked for: the name, or a looser one that no other NRB of the job has';
comment on column nrb_name.rank is '1 its own guid, external id or origin reference; 2 its vendor''s invoice number; 3 its parent''s; 4 purchase order or WBS';
comment on column nrb_name.form is 'distinct (a letter and 3 digits, or 6 digits), plain, or poor (a year, a date, fewer than 4 digits)';
comment on column nrb_name.loose is '1 where the document word in front was left out';
comment on column nrb_name.bearers is 'NRBs of the job that share the name';
comment on column nrb_name.bearers_cents is 'their totals together, in cents, without sign';

create or replace table evidence (
    nrb_guid varchar, jnid varchar, position integer, kind varchar, name varchar, name_rank bigint, points bigint, same_amount boolean, marked boolean,
    away bigint, labor boolean, retention boolean, foreign_jobs bigint, expected double, terms varchar
);
comment on table evidence is 'Everything that speaks for a pair of an NRB and an invoice line, also weakly: 3 points settle, 2 ask a person, 1 asks where nothing else settles.';
comment on column evidence.nrb_guid is 'a leaf';
comment on column evidence.jnid is 'the invoice';
comment on column evidence.position is 'the line; NULL: the invoice as a whole';
comment on column evidence.kind is 'name (the line''s words hold a name of the NRB), mark (the NRB names the invoice), amount (equal amounts)';
comment on column evidence.name is 'the name or mark';
comment on column evidence.name_rank is 'nrb_name.rank of the name';
comment on column evidence.points is 'its strength';
comment on column evidence.same_amount is 'line and NRB have the same amount, sign aside';
comment on column evidence.marked is 'the NRB''s mark names this invoice';
comment on column evidence.away is '0 the invoice is of the NRB''s job; 1 its job is only suggested, or its mark names it; 2 the invoice names no job; 3 another job';
comment on column evidence.labor is 'a line of labor';
comment on column evidence.retention is 'a line of retention or holdback';
comment on column evidence.foreign_jobs is 'jobs on whose lines the name is found though none of their NRBs is called so';
comment on column evidence.expected is 'of an amount: how many such hits chance would make in the job';
comment on column evidence.terms is 'how the points came about, term by term';

create or replace table link (
    nrb_guid varchar, jnid varchar, position integer, method varchar, component varchar, invoiced_amount decimal(38, 2),
    state varchar, state_rank integer
);
comment on table link is 'Which NRB is on which invoice line, and for how much of it: settled.';
comment on column link.nrb_guid is 'a leaf';
comment on column link.jnid is 'the invoice';
comment on column link.position is 'the line';
comment on column link.method is 'manual (a person said so), name (the line names it), mark (its mark names the invoice, amounts agree), amount (amounts alone)';
comment on column link.component is 'the same for links that share a line or an NRB; NULL for one to one';
comment on column link.invoiced_amount is 'the share of the line for this NRB; the shares of a line sum to the line';
comment on column link.state is 'of the invoice: issued, draft or void';
comment on column link.state_rank is '1 issued, 2 draft, 3 void';

create or replace table undecided (nrb_guid varchar, jnid varchar, position integer, reason varchar);
comment on table undecided is 'Candidates of NRBs that nothing has settled: a person confirms or forbids them.';
comment on column undecided.nrb_guid is 'a leaf';
comment on column undecided.jnid is 'the invoice';
comment on column undecided.position is 'the line';
comment on column undecided.reason is 'what speaks for it, or why it was not settled';

create or replace table nrb_state (
    guid varchar, state varchar, charged decimal(38, 2), left_over decimal(38, 2), note varchar, look_first boolean,
    found_jnid varchar, found_method varchar, matched_by varchar
);
comment on table nrb_state is 'One leaf in exactly one state: whether the client was charged for it.';
comment on column nrb_state.guid is 'nrb.guid';
comment on column nrb_state.state is 'internal, not_billable, nothing_to_bill, credited_back, billed_full, charged_twice, billed_over, billed_part, on_draft, on_void, undecided, marked_several, unreadable, not_on_invoice, not_found, reversed, unbilled: the first that fits';
comment on column nrb_state.charged is 'its shares of lines of issued invoices, net';
comment on column nrb_state.left_over is 'total less charged: what is still to bill; a NULL total counts as 0.00';
comment on column nrb_state.note is 'what to know of it: another invoice than its mark names, short by exactly the vendor''s tax';
comment on column nrb_state.look_first is 'unbilled, but an open line of its job has the same amount, which is too common to link: look before it is billed';
comment on column nrb_state.found_jnid is 'the invoice that its mark names';
comment on column nrb_state.found_method is 'how its mark names it';
comment on column nrb_state.matched_by is 'name, mark or amount: the strongest of its links';

create or replace table line_question (kind varchar, jnid varchar, position integer, nrb_guid varchar, amount decimal(38, 2));
comment on table line_question is 'One line of an issued invoice that raises a question about cost.';
comment on column line_question.kind is 'charged again (names an NRB that other lines carry in full), of another job, names nothing known';
comment on column line_question.jnid is 'the invoice';
comment on column line_question.position is 'the line';
comment on column line_question.nrb_guid is 'the NRB; NULL where the line names nothing known';
comment on column line_question.amount is 'the line''s amount, or its share';

create or replace table nrb_status (
    guid varchar, parent_guid varchar, job_number varchar, job_key varchar, vendor_code varchar, type_name varchar,
    accounting_date date, month date, total decimal(18, 2), internal boolean, billable boolean, exported boolean,
    billed_mark boolean, found_jnid varchar, linked boolean, state varchar, charged decimal(38, 2), left_over decimal(38, 2), look_first boolean, unbilled boolean
);
comment on table nrb_status is 'One leaf with its attributes decided and its state.';
comment on column nrb_status.guid is 'nrb.guid';
comment on column nrb_status.parent_guid is 'nrb.parent_guid';
comment on column nrb_status.job_number is 'nrb.job_number';
comment on column nrb_status.job_key is 'job_number, trimmed and case-folded';
comment on column nrb_status.vendor_code is 'nrb.vendor_code';
comment on column nrb_status.type_name is 'nrb.type_name';
comment on column nrb_status.accounting_date is 'vendor_invoice_date, else created_on';
comment on column nrb_status.month is 'first day of the accounting month';
comment on column nrb_status.total is 'nrb.total_after_markup';
comment on column nrb_status.internal is 'is_internal is true';
comment on column nrb_status.billable is 'is_billable, else account_type = Billable, else true';
comment on column nrb_status.exported is 'is_exported, its own or its parent''s';
comment on column nrb_status.billed_mark is 'billed_in_guid or billed_in_name, its own or its parent''s';
comment on column nrb_status.found_jnid is 'nrb_state.found_jnid: the invoice that its mark names';
comment on column nrb_status.linked is 'a line carries it, of an invoice in whatever state';
comment on column nrb_status.state is 'nrb_state.state';
comment on column nrb_status.charged is 'nrb_state.charged';
comment on column nrb_status.left_over is 'nrb_state.left_over';
comment on column nrb_status.look_first is 'nrb_state.look_first';
comment on column nrb_status.unbilled is 'state = unbilled: billable, and nothing says that it was ever on an invoice';

create or replace table invoice_status (
    jnid varchar, number varchar, state varchar, job_number varchar, job_key varchar, month date, line_count bigint,
    line_total decimal(38, 2), labor_beside decimal(38, 2), subtotal decimal(38, 2), tax decimal(18, 2), total decimal(18, 2)
);
comment on table invoice_status is 'One invoice, with the words of the audit decided.';
comment on column invoice_status.jnid is 'invoice.jnid';
comment on column invoice_status.number is 'invoice.number';
comment on column invoice_status.state is 'void (is_active false, or by status name), draft (by status name), else issued';
comment on column invoice_status.job_number is 'its job; (several) where it has several that its NRBs do not decide';
comment on column invoice_status.job_key is 'job_number, trimmed and case-folded';
comment on column invoice_status.month is 'first day of the month of invoice_date, else of created_on';
comment on column invoice_status.line_count is 'lines';
comment on column invoice_status.line_total is 'sum of the lines'' amounts, and of labor that is charged beside them';
comment on column invoice_status.labor_beside is 'labor that is charged beside the lines'' amounts';
comment on column invoice_status.subtotal is 'subtotal, or line_total where the vendor sent none';
comment on column invoice_status.tax is 'tax, or 0.00';
comment on column invoice_status.total is 'total';

create or replace table invoice_status_name (
    status_name varchar, treated_as varchar, known boolean, invoices bigint, total decimal(38, 2)
);
comment on table invoice_status_name is 'One status that invoices have, and how it is treated.';
comment on column invoice_status_name.status_name is 'status_name; NULL: invoices without one';
comment on column invoice_status_name.treated_as is 'void, draft or issued, by the settings void_status_names and draft_status_names; is_active false is void whatever the status';
comment on column invoice_status_name.known is 'a setting names it, or it is one of those that plainly mean issued; an unknown one counts as issued';
comment on column invoice_status_name.invoices is 'how many';
comment on column invoice_status_name.total is 'their total';

create or replace table usual_tax_rate (percent decimal(24, 6), invoices bigint, alike bigint);
comment on table usual_tax_rate is 'The rate of tax that most issued, taxed invoices have: one row, or none where no invoice is taxed.';
comment on column usual_tax_rate.percent is 'of the subtotal, to three decimals';
comment on column usual_tax_rate.invoices is 'issued invoices with tax';
comment on column usual_tax_rate.alike is 'those whose tax that rate gives, but for the tolerance and 0.05';

create or replace table job_reconciliation (
    job_number varchar, nrb_count bigint, nrb_total decimal(38, 2), billable_total decimal(38, 2), billed_total decimal(38, 2),
    linked_total decimal(38, 2), unbilled_total decimal(38, 2), undecided_total decimal(38, 2), invoice_count bigint,
    invoice_total decimal(38, 2), linked_line_total decimal(38, 2), free_line_total decimal(38, 2),
    other_line_total decimal(38, 2), variance decimal(38, 2),
    rounding decimal(38, 2), verdict varchar
);
comment on table job_reconciliation is 'One job, cost against invoices. NULL job_number: cost or invoices without a job.';
comment on column job_reconciliation.job_number is 'the job';
comment on column job_reconciliation.nrb_count is 'leaves';
comment on column job_reconciliation.nrb_total is 'total of all leaves';
comment on column job_reconciliation.billable_total is 'total of billable, non-internal leaves';
comment on column job_reconciliation.billed_total is 'total of leaves marked as billed';
comment on column job_reconciliation.linked_total is 'total of leaves on lines of issued invoices';
comment on column job_reconciliation.unbilled_total is 'what is not billed of its billable leaves, for any of the causes of the statement''s subtotal unbilled';
comment on column job_reconciliation.undecided_total is 'total of leaves of which nobody can say yet whether they were billed';
comment on column job_reconciliation.invoice_count is 'issued invoices of the job';
comment on column job_reconciliation.invoice_total is 'their total';
comment on column job_reconciliation.linked_line_total is 'what issued lines charge for the job''s billable leaves';
comment on column job_reconciliation.free_line_total is 'what issued lines charge for leaves that are internal or not billable';
comment on column job_reconciliation.other_line_total is 'lines of the job''s issued invoices that carry no NRB';
comment on column job_reconciliation.variance is 'linked_line_total − billable_total';
comment on column job_reconciliation.rounding is 'the part of the variance that is rounding or vendor tax of fully billed cost';
comment on column job_reconciliation.verdict is 'nrb-only, invoice-only, agrees, undecided (would agree if all that is undecided were billed), under-billed or over-billed';

create or replace table statement (
    scope varchar, key varchar, position integer, code varchar, label varchar, amount decimal(38, 2), gross decimal(38, 2),
    items bigint, is_subtotal boolean
);
comment on table statement is 'The bridge from cost to invoice, for the whole and for each job, month, vendor and type; the last row of a key is the unreconciled difference and must be 0.00. By job and month two rows say what counts in another one; by vendor and type it ends at the billed cost.';
comment on column statement.scope is 'all, job, month, vendor or type: of the NRB, and after the billed cost of the invoice';
comment on column statement.key is 'empty for scope all; job_reconciliation.job_number, YYYY-MM, vendor_code or type_name; NULL: the records that have none';
comment on column statement.position is 'order of the rows; each scope has those that apply to it';
comment on column statement.code is 'what the row is, for programs: never changes';
comment on column statement.label is 'what the row is, for people';
comment on column statement.amount is 'signed: what it adds to the row above; of a subtotal, the sum of its rows';
comment on column statement.gross is 'sum of absolute amounts; of the difference: what cost side and invoice side miss, added without sign';
comment on column statement.items is 'NRBs, parts of lines, lines or invoices in the row: its rows in statement_item; of a subtotal, those that it is made of';
comment on column statement.is_subtotal is 'a sum of rows above: not to be added again';

create or replace table statement_item (
    position integer, code varchar, label varchar, subject_type varchar, subject_id varchar, nrb_guid varchar, jnid varchar,
    line_position integer, job_number varchar, month date, vendor_code varchar, type_name varchar, amount decimal(38, 2)
);
comment on table statement_item is 'One member of one row of the statement. A row of it, in any scope, is the sum of its members; those of a timing row count by job or by month alone.';
comment on column statement_item.position is 'statement.position';
comment on column statement_item.code is 'statement.code';
comment on column statement_item.label is 'statement.label';
comment on column statement_item.subject_type is 'nrb, invoice_item or invoice';
comment on column statement_item.subject_id is 'nrb guid, jnid/position of a line, or invoice jnid; a line that carries several NRBs has one member for each';
comment on column statement_item.nrb_guid is 'the NRB; NULL for a line that carries none, and for an invoice';
comment on column statement_item.jnid is 'the invoice of the line; of an NRB the invoice that its mark names';
comment on column statement_item.line_position is 'invoice_item.position, where the member is a line or a part of one';
comment on column statement_item.job_number is 'the job it counts for, as in job_reconciliation: of its NRB up to the billed cost, then of its invoice; NULL: none';
comment on column statement_item.month is 'first day of the month it counts for: of its NRB or its invoice, as job_number; NULL: none';
comment on column statement_item.vendor_code is 'of its NRB, where it counts for the NRB''s job';
comment on column statement_item.type_name is 'of its NRB, where it counts for the NRB''s job';
comment on column statement_item.amount is 'signed: what it adds to the bridge; what is NULL counts as 0.00';

create or replace table statement_offset (
    scope varchar, key varchar, amount decimal(38, 2), minus_label varchar, minus_type varchar, minus_id varchar,
    minus_nrb_guid varchar, plus_label varchar, plus_type varchar, plus_id varchar, plus_nrb_guid varchar
);
comment on table statement_offset is 'Two differences of the statement that cancel each other within a job or a month, so that its net hides them. Each is in one pair of a scope at most.';
comment on column statement_offset.scope is 'job or month';
comment on column statement_offset.key is 'statement.key: the job or month of both; NULL: both have none';
comment on column statement_offset.amount is 'absolute amount of each';
comment on column statement_offset.minus_label is 'statement_item.label of the one that takes it from the bridge';
comment on column statement_offset.minus_type is 'its subject_type';
comment on column statement_offset.minus_id is 'its subject_id';
comment on column statement_offset.minus_nrb_guid is 'its nrb_guid';
comment on column statement_offset.plus_label is 'statement_item.label of the one that adds it';
comment on column statement_offset.plus_type is 'its subject_type';
comment on column statement_offset.plus_id is 'its subject_id';
comment on column statement_offset.plus_nrb_guid is 'its nrb_guid';

create or replace table rule (
    rule_id varchar, title varchar, assertion varchar, severity varchar, subject varchar, why varchar, remedy varchar,
    note varchar, parameters json, digest varchar, sql varchar, executed varchar
);
comment on table rule is 'One rule as it was run.';
comment on column rule.rule_id is 'id';
comment on column rule.title is 'what it finds';
comment on column rule.assertion is 'existence, completeness, accuracy, cutoff, classification or valuation';
comment on column rule.severity is 'high, medium or low';
comment on column rule.subject is 'nrb, invoice, invoice_item, job or any';
comment on column rule.why is 'why it matters';
comment on column rule.remedy is 'what usually puts it right';
comment on column rule.note is 'its odd corners';
comment on column rule.parameters is 'the values it was run with';
comment on column rule.digest is 'SHA-256 of the file';
comment on column rule.sql is 'the file';
comment on column rule.executed is 'the statement that was run';

create or replace table exposure (
    side varchar, cause varchar, label varchar, subject_type varchar, subject_id varchar, nrb_guid varchar, jnid varchar,
    job_number varchar, amount decimal(38, 2), standing varchar, rule_id varchar, fingerprint varchar, also varchar
);
comment on table exposure is 'What an exception costs: one cost or invoice, once per side, by its first cause. Never add sides: they are other money.';
comment on column exposure.side is 'charge (billable cost not billed, the headline: the statement''s subtotal unbilled), overcharge (billed too much), ledger or invoice';
comment on column exposure.cause is 'why, for programs: never changes; on side charge the code of the statement''s row';
comment on column exposure.label is 'why, for people';
comment on column exposure.subject_type is 'nrb or invoice';
comment on column exposure.subject_id is 'guid or jnid';
comment on column exposure.nrb_guid is 'the cost; NULL: an invoice';
comment on column exposure.jnid is 'the invoice; NULL: a cost';
comment on column exposure.job_number is 'the job, where there is one';
comment on column exposure.amount is 'the money, by the definition of its cause';
comment on column exposure.standing is 'open, accepted (its finding is), not yet due (within the days of grace), or below threshold (no rule shows it)';
comment on column exposure.rule_id is 'the rule whose finding shows it; NULL: none';
comment on column exposure.fingerprint is 'that finding';
comment on column exposure.also is 'every rule with a finding about it, separated by spaces; NULL: none';

create or replace table finding (
    rule_id varchar, severity varchar, subject_type varchar, subject_id varchar, job_number varchar,
    amount_at_risk decimal(38, 2), reason varchar, evidence json, fingerprint varchar, state varchar, first_seen date,
    change varchar, reopened_because varchar, key json
);
comment on table finding is 'One thing that a rule says is wrong.';
comment on column finding.rule_id is 'rule.rule_id';
comment on column finding.severity is 'rule.severity';
comment on column finding.subject_type is 'rule.subject; for rules about any record, its type';
comment on column finding.subject_id is 'nrb guid, invoice jnid, jnid/position of a line, or job number';
comment on column finding.job_number is 'the job, where there is one';
comment on column finding.amount_at_risk is 'money at risk';
comment on column finding.reason is 'in words';
comment on column finding.evidence is 'the other columns of the rule';
comment on column finding.fingerprint is 'hash of rule and subject (with its type for rules about any record): survives a change of wording or amount';
comment on column finding.state is 'open, or accepted while an acceptance holds';
comment on column finding.first_seen is 'as_of of the first audit that found it';
comment on column finding.change is 'against the end of the sync before: new, persisting or re-opened';
comment on column finding.reopened_because is 'why its acceptance does not hold any more; empty where there is none';
comment on column finding.key is 'the evidence that an acceptance rests on';

create or replace table acceptance (
    fingerprint varchar, rule_id varchar, subject_id varchar, note varchar, who varchar, until date,
    accepted_at timestamptz, amount_at_risk decimal(38, 2), key json, evidence json, snapshot_id varchar, lapsed varchar
);
comment on table acceptance is 'One finding that a person accepted, as it was then, from the journal; taken back ones are not here.';
comment on column acceptance.fingerprint is 'finding.fingerprint';
comment on column acceptance.rule_id is 'rule.rule_id';
comment on column acceptance.subject_id is 'finding.subject_id';
comment on column acceptance.note is 'why';
comment on column acceptance.who is 'who accepted it';
comment on column acceptance.until is 'the last day on which it holds; empty: no end';
comment on column acceptance.accepted_at is 'when';
comment on column acceptance.amount_at_risk is 'money at risk that was accepted';
comment on column acceptance.key is 'the evidence that it rests on, as it was';
comment on column acceptance.evidence is 'all evidence, as it was';
comment on column acceptance.snapshot_id is 'the snapshot that it was accepted in';
comment on column acceptance.lapsed is 'why it does not hold; empty while it does';

create or replace table audit_run (
    snapshot_id varchar, sync_id integer, as_of date, parameters json, verdict varchar, counts json, environment varchar,
    account varchar, time_zone varchar, warnings json
);
comment on table audit_run is 'The audit in this snapshot: one row.';
comment on column audit_run.snapshot_id is 'hash of raw digests, parameters, rules and decisions';
comment on column audit_run.sync_id is 'the sync it looked at';
comment on column audit_run.as_of is 'the day it looked from';
comment on column audit_run.parameters is 'its parameters';
comment on column audit_run.verdict is 'incomplete, findings, accepted or clean';
comment on column audit_run.counts is 'records, quarantined, fields and amounts that could not be read, without total, lines of job_map.csv with unknown jobs, findings';
comment on column audit_run.environment is 'the servers';
comment on column audit_run.account is 'the account: a label made from environment and user name';
comment on column audit_run.time_zone is 'the zone that decides calendar days';
comment on column audit_run.warnings is 'what to know before any finding: a list of sentences';

create or replace table made_by (stamp varchar);
comment on table made_by is 'The version of these tables: one row.';
comment on column made_by.stamp is 'digest of the schema and the macros that made this snapshot';

create or replace table journal (seq bigint, written_at timestamptz, kind varchar, body json, hash varchar);
comment on table journal is 'What people decided and what was written, projected from journal.jsonl.';
comment on column journal.seq is '1, 2, 3 …';
comment on column journal.written_at is 'when';
comment on column journal.kind is 'what';
comment on column journal.body is 'the record';
comment on column journal.hash is 'its place in the hash chain';
