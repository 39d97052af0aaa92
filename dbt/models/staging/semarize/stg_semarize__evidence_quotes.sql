{{ staged_list_items('evidence', 'quote') }}
