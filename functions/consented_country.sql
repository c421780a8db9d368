case when is_granted and regexp_full_match(country, '[A-Z]{2}') and country <> 'ZZ' then country end
