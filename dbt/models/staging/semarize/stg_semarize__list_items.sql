{{ staged_list_items('value_list', 'item') }}
