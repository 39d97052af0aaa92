{#- A sentence about every row; a row for which it is false or unknown fails. -#}
{% test holds(model, expression) %}

select *
from {{ model }}
where not coalesce({{ expression }}, false)

{% endtest %}
