"""The errors of the host: one base, drawn here; a subclass lives beside the code that raises it.

CogworksError                         the message is the whole sentence; ``exit_code`` is the command's
|- project.errors.ConfigError         cog.yaml has problems: all of them, with lines
|- project.errors.ConfigNotFoundError no cog.yaml here or above
|- project.errors.RequirementsError   a requirements file has problems: all of them, with lines
|- engines.errors.EngineError         an environment could not be made
|  |- engines.errors.PythonNotFoundError   the wanted Python cannot be had on this machine
|  |- engines.errors.LiveSchemaError       the model's module cannot be imported, or is no model
|  |- engines.containers.errors.ContainerError         docker or podman could not do what it was told
|  |  |- engines.containers.errors.EngineUnreachableError   none of them answers
|  |  '- engines.containers.errors.CommandFailedError       a command of theirs failed, and said why
|  |- engines.errors.ResolutionError       the requirements do not fit together or do not exist
|  |  '- engines.errors.IndexUnreachableError    nothing is known of them: no index answers
|  '- engines.errors.InstallError          the packages could not be downloaded, built or installed
|- build.errors.BuildError            a project cannot be made into layers: a tree of its own
|- oci.errors.OciError                a value of an image is wrong
|  |- oci.errors.InvalidReferenceError     a text is no image's name
|  |- oci.errors.DigestError               a text is no sha256 digest
|  |- oci.errors.PlatformError             no such platform, or the image is not for it
|  |- oci.errors.DocumentError             a manifest or configuration has problems: all of them
|  '- oci.errors.TarError                  a member cannot be in a reproducible archive
|- registry.errors.RegistryError      a registry, or the way to it, failed: a tree of its own
|- schema.errors.SchemaError          the author's signature cannot be turned into a schema
|- server.errors                      what can go wrong with a prediction: a tree of its own
'- server.store.errors                what can go wrong with the store: a tree of its own

Wherever a message quotes outside text, it is cut, and credentials in URLs are hidden.
"""


class CogworksError(Exception):
    """Base of every error that a user of the host may see; ``str(error)`` is the sentence to print."""

    exit_code: int = 1
