-- The least and the greatest value of a column; NULL if there is none.
select min({column}), max({column}) from {source} as s
