"""A mixed load with kills: is every prediction accounted for, is the server the same after it?"""
