{# No two rows are equal in these columns: the grain of the model. #}
{% test one_row_per(model, columns) %}

select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
