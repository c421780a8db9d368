case
    when not coalesce(is_granted, false) or birth_year is null then null
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 18 then 'under 18'
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 25 then '18-24'
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 35 then '25-34'
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 45 then '35-44'
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 55 then '45-54'
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 65 then '55-64'
    when year(make_timestamp_ms(as_of_ms)) - birth_year < 75 then '65-74'
    else '75 and over'
end
