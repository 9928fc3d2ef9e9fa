"""Where the chart and the services' values lie, in this project and in the customer's Git repository."""

CHART_FOLDER = "charts/xgen-service"
VALUES_FOLDER = "values"
