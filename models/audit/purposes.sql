-- One row is one relation right of the wall that holds persons' data and one purpose that its rows need,
-- as the model declares it.
with declared as (
    {{ purposes_as_rows() }}
),

named as (
    select
        relation,
        purpose,
        condition
    from declared
)

select * from named
