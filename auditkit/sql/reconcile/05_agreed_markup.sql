-- The markups that contracts say, as markup.csv holds them.
-- out: vendor_code text, type_name text, markup decimal
select vendor_code, type_name, cast(percent as decimal(24, 6)) as markup from markup_file
