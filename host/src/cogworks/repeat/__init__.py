"""A call of `cog build` or `cog push` that was made before: only what has changed since is looked at.

A build whose requirements, base and options are what they were comes to the same layers, but for the code. Its record says
which files decided on everything else, and what came of it. `files` tells by their status whether they are what they were;
`changed` packs the code anew and puts it into the recorded image; `plain_push` and `client_push` send that. Whatever is not
as it should be is left to the whole build, which knows everything and tells what is wrong.

What a call without changes loads is the standard library alone, and little of it: that is most of the time that it takes.
"""
