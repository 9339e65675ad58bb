-- One row an order: what the fraud model sees. `returns` and `catalogue` are the inputs of transform/features.
-- customer_id stays, because the split keeps each customer in one part; age_band stays for the measure of parity.
with history as (
    select
        r.order_id,
        count(*) filter (where p.returned) as returned_before,
        count(p.order_id)                  as ordered_before
    from returns r
    left join returns p on p.customer_id = r.customer_id and p.at < r.at
    group by r.order_id
)
select
    r.order_id,
    r.customer_id,
    r.age_band,
    r.amount,
    c.price,
    r.amount / nullif(c.price, 0)                             as amount_of_price,
    coalesce(c.category, 'unknown')                           as category,
    h.ordered_before,
    h.returned_before / nullif(h.ordered_before, 0)           as return_rate,
    extract(hour from r.at)                                   as hour,
    r.returned                                                as label
from returns r
join history h on h.order_id = r.order_id
left join catalogue c on c.sku = r.sku
order by r.order_id;
