-- A draw depends on the seed and on what is drawn, on nothing else: the same seed gives the same draws.
create or replace temp macro drawn(what, a, b, c, d) as hash(hash(getvariable('seed'), what, a, b, c, d));

-- A whole number from 0 to under `below`. Both are made unsigned: DuckDB takes 50 times as long for the
-- remainder of a HUGEINT, which is what holds a signed and an unsigned number.
create or replace temp macro drawn_below(below, what, a, b, c, d) as
cast(drawn(what, a, b, c, d) % cast(below as ubigint) as bigint);

create or replace temp macro drawn_share(what, a, b, c, d) as drawn(what, a, b, c, d) / 18446744073709551616.0;

-- The score interval of 95 % for a share. Wilson 1927, doi:10.1080/01621459.1927.10502953.
create or replace temp macro wilson_middle(hits, n) as (hits / n + 1.920729 / n) / (1 + 3.841459 / n);

create or replace temp macro wilson_half(hits, n) as
1.959964 * sqrt(hits / n * (1 - hits / n) / n + 0.960365 / (n * n)) / (1 + 3.841459 / n);

create or replace temp macro wilson_low(hits, n) as
case when n > 0 then greatest(0.0, wilson_middle(hits, n) - wilson_half(hits, n)) end;

create or replace temp macro wilson_high(hits, n) as
case when n > 0 then least(1.0, wilson_middle(hits, n) + wilson_half(hits, n)) end;
