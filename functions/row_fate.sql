case
    when fate in ('duplicate', 'superseded_by_extended', 'outside_consent_window', 'purpose_not_granted', 'kept', 'erased')
        then fate
end
