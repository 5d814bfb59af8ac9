//! The schema: every migration ever released, by number. None may change once it is
//! released. Both databases have the same schema by the same number.

use std::borrow::Cow;

use sqlx::AnyConnection;
use sqlx::SqlSafeStr;
use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};

use super::Product;

/// The number of the newest migration.
pub(crate) const NEWEST: i64 = 4;

/// Where sqlx keeps which migrations were applied.
const TABLE: &str = "_sqlx_migrations";

/// Number, description, SQL.
pub(super) type Step = (i64, &'static str, &'static str);

pub(super) const SQLITE: [Step; 4] = [
    (
        1,
        "portfolio",
        include_str!("../../migrations/sqlite/0001_portfolio.sql"),
    ),
    (
        2,
        "contact messages",
        include_str!("../../migrations/sqlite/0002_contact_messages.sql"),
    ),
    (
        3,
        "documents",
        include_str!("../../migrations/sqlite/0003_documents.sql"),
    ),
    (
        4,
        "deliveries and tags",
        include_str!("../../migrations/sqlite/0004_deliveries_and_tags.sql"),
    ),
];

pub(super) const POSTGRES: [Step; 2] = [
    (
        3,
        "documents",
        include_str!("../../migrations/postgres/0003_documents.sql"),
    ),
    (
        4,
        "deliveries and tags",
        include_str!("../../migrations/postgres/0004_deliveries_and_tags.sql"),
    ),
];

/// What the migrations found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// A database without any table of ours.
    Nothing,
    /// An older schema, which is now the newest.
    Older,
    /// The newest schema.
    Newest,
}

/// Applies what is missing. The caller holds the lock and the transaction.
pub(crate) async fn migrate(
    product: Product,
    connection: &mut AnyConnection,
) -> Result<Found, MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    migrator(product).run(connection).await?;
    Ok(
        match applied.iter().map(|migration| migration.version).max() {
            None => Found::Nothing,
            Some(NEWEST) => Found::Newest,
            Some(_) => Found::Older,
        },
    )
}

/// The migrator that `sqlx::migrate!` would write. The macro would have the build
/// compile SQLite a second time, for itself.
fn migrator(product: Product) -> Migrator {
    let steps: &[Step] = match product {
        Product::Sqlite => &SQLITE,
        Product::Postgres => &POSTGRES,
    };
    let migrations = steps.iter().map(|(version, description, sql)| {
        Migration::new(
            *version,
            Cow::Borrowed(*description),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_locking(false);
    migrator
}
