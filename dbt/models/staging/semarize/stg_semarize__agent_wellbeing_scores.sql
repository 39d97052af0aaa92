{{ staged_scores('agent_wellbeing') }}
