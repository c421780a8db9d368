case
    when
        level = 0
        and age_band in ('under 18', '18-24', '25-34', '35-44', '45-54', '55-64', '65-74', '75 and over')
        then age_band
    when level = 1 and age_band in ('18-24', '25-34') then '18-34'
    when level = 1 and age_band in ('35-44', '45-54') then '35-54'
    when level = 1 and age_band in ('55-64', '65-74') then '55-74'
    when level = 1 and age_band in ('under 18', '75 and over') then age_band
    when level = 2 and age_band in ('under 18', '18-24', '25-34') then 'under 35'
    when level = 2 and age_band is not null then '35 and over'
end
