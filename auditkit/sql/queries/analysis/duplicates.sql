-- Groups of two or more records whose keys agree, equal or near, and in which the others vary. NULL keys: as the question says.
with recursive record as (
    select s.*,
        {parts}
    from {source} as s
), item as (
    select * from record where {condition}
), {grouping}, sized as (
    select *, count(*) over one as _size{varies}
    from grouped
    window one as (partition by _group)
)
select dense_rank() over (order by _group) as group_no, _size as group_size,
    {columns}
from sized
where {kept}
order by group_no,
    {columns}
