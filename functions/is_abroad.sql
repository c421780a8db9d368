case
    when not coalesce(is_granted, false) then null
    when country = 'ZZ' or not regexp_full_match(country, '[A-Z]{2}') then null
    when home_country = 'ZZ' or not regexp_full_match(home_country, '[A-Z]{2}') then null
    else country <> home_country
end
