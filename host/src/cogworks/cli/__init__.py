"""The `cog` command: one file a command; a command parses, calls and prints.

Nothing imports this package. Modules here import the rest of Cogworks inside functions, so that
`cog --help` and a mistyped input are answered before anything heavy is loaded.
"""
