"""Deliveries that are not sent are counted by channel and status, for the metrics.

Revision: 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UNSENT = {
    "sqlite_where": sa.text("status <> 'sent'"),
    "postgresql_where": sa.text("status <> 'sent'"),
}


def upgrade() -> None:
    op.create_index("ix_deliveries_unsent", "deliveries", ["channel", "status"], **UNSENT)


def downgrade() -> None:
    op.drop_index("ix_deliveries_unsent", "deliveries", **UNSENT)
