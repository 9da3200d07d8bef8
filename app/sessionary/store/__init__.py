"""The database: namespaces, connections, transactions and statements.

The only package that knows the engine. A namespace is one SQLite database. Code inside
`with namespace.activate():` works on that namespace; the models are declared once and never bound
to a database.
"""

from sessionary.store import undo_log as undo_log
from sessionary.store.atomic_files import atomic_write as atomic_write
from sessionary.store.atomic_files import draft_folder as draft_folder
from sessionary.store.backup import Progress as Progress
from sessionary.store.backup import back_up as back_up
from sessionary.store.backup import backup_target as backup_target
from sessionary.store.backup import restore as restore
from sessionary.store.batches import run_batch as run_batch
from sessionary.store.batches import run_in_batches as run_in_batches
from sessionary.store.bulk import Batch as Batch
from sessionary.store.bulk import bulk_transaction as bulk_transaction
from sessionary.store.connections import Database as Database
from sessionary.store.database import DEFAULT as DEFAULT
from sessionary.store.database import Model as Model
from sessionary.store.database import Namespace as Namespace
from sessionary.store.database import NamespaceClosed as NamespaceClosed
from sessionary.store.database import check_file_unchanged as check_file_unchanged
from sessionary.store.database import current_namespace as current_namespace
from sessionary.store.database import has_undo_log as has_undo_log
from sessionary.store.database import limit_reads as limit_reads
from sessionary.store.database import memory_namespace as memory_namespace
from sessionary.store.database import open_namespace as open_namespace
from sessionary.store.database import report_outage as report_outage
from sessionary.store.database import size_bytes as size_bytes
from sessionary.store.errors import ContentsReplaced as ContentsReplaced
from sessionary.store.errors import DatabaseUnavailable as DatabaseUnavailable
from sessionary.store.errors import DatabaseUnusable as DatabaseUnusable
from sessionary.store.errors import TooLarge as TooLarge
from sessionary.store.errors import is_over_limit as is_over_limit
from sessionary.store.errors import is_unavailable as is_unavailable
from sessionary.store.errors import with_file_name as with_file_name
from sessionary.store.export import BadExport as BadExport
from sessionary.store.export import export_lines as export_lines
from sessionary.store.export import import_lines as import_lines
from sessionary.store.export import row_count as row_count
from sessionary.store.files import ensure_not_in_use as ensure_not_in_use
from sessionary.store.files import exclusive_lease as exclusive_lease
from sessionary.store.integrity import Finding as Finding
from sessionary.store.integrity import ensure_sound as ensure_sound
from sessionary.store.integrity import file_version as file_version
from sessionary.store.integrity import find_problems as find_problems
from sessionary.store.migrations import Migration as Migration
from sessionary.store.migrations import recreate_table as recreate_table
from sessionary.store.namespaces import BadName as BadName
from sessionary.store.namespaces import NamespaceExists as NamespaceExists
from sessionary.store.namespaces import NamespaceHooks as NamespaceHooks
from sessionary.store.namespaces import Namespaces as Namespaces
from sessionary.store.namespaces import NoSuchNamespace as NoSuchNamespace
from sessionary.store.namespaces import TooManyNamespaces as TooManyNamespaces
from sessionary.store.namespaces import map_file as map_file
from sessionary.store.readiness import check_writable as check_writable
from sessionary.store.readiness import ensure_writable as ensure_writable
from sessionary.store.schema import Schema as Schema
from sessionary.store.schema import create_tables as create_tables
from sessionary.store.schema import migrate as migrate
from sessionary.store.statements import Statement as Statement
from sessionary.store.statements import count_if as count_if
from sessionary.store.statements import count_statement as count_statement
from sessionary.store.statements import insert_statement as insert_statement
from sessionary.store.statements import param as param
from sessionary.store.statements import param_list as param_list
from sessionary.store.statements import param_rows as param_rows
from sessionary.store.statements import rowid as rowid
from sessionary.store.statements import upsert as upsert
from sessionary.store.transactions import dry_run as dry_run
from sessionary.store.transactions import read_transaction as read_transaction
from sessionary.store.transactions import transaction as transaction
from sessionary.store.waits import WouldWait as WouldWait
from sessionary.store.waits import wait_until as wait_until
from sessionary.store.waits import without_waiting as without_waiting
