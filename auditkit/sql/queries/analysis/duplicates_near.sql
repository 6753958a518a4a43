-- (grouped) Near keys are edges between nodes, a node is all records with the same keys, a component is a group. Keys are compared
-- only within a block: a key, or a key with one character left out, which any two keys one edit apart share.
node as (
    select row_number() over (order by {listed}) as _node, {listed} from (select distinct {listed} from item)
), shorter as (
    select *, unnest(range(1, length(_near_1) + 1)) as _at
    from node where length(_near_1) between {shortest} and {longest}
), block as (
    select *, 0 as _at, coalesce(_near_1, '') as _text, '' as _left from node
    union all
    select *, 0, _zero_1, '' from node where _zero_1 <> _near_1
    union all
    select *, left(_near_1, _at - 1) || substr(_near_1, _at + 1), substr(_near_1, _at, 1) from shorter
), pair as materialized (
    select distinct a._node, b._node as _other
    from block as a join block as b on b._text = a._text{equal}
    where a._node <> b._node
        and (a._at = b._at or a._at = 0 or b._at = 0 or abs(a._at - b._at) = 1 and a._left = b._left){days}
), edge as materialized (
    select p._node, p._other
    from pair as p join node as a on a._node = p._node join node as b on b._node = p._other
    where {alike}
), component(_node, _root) using key (_node) as (
    select _node, _node from node
    union
    select offer._node, offer._root
    from (
        select e._other as _node, min(c._root) as _root
        from component as c join edge as e on e._node = c._node
        group by e._other
    ) as offer
    join recurring.component as r on r._node = offer._node
    where offer._root < r._root
), grouped as (
    select item.*, component._root as _group
    from item
    join node on {same_node}
    join component on component._node = node._node
)
