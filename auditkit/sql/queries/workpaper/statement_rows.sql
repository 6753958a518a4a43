-- The rows of the statement in the scope $scope, in order.
select distinct position, code, label from statement where scope = $scope order by position
