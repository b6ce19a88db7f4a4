"""The application as gunicorn serves it."""

from clerk_ui import create_app

app = create_app()
