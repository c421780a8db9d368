case when answer between -999 and 999 then answer end
