"""Charts, asked as BI Builder asks them: questions, what the right answer is, an honest connector and many wrong ones.

Written from the description of the requests alone; shares no code with what it examines.
"""
