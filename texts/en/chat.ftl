model-refused = I cannot answer right now. { $reason }
model-unavailable = I could not reach my model, after several tries. Please write again in a few minutes.
internal = Something went wrong on our side while I was answering. It was written down, and a member can see it.
too-many-steps = I stopped after { $steps } steps without finishing. Tell me how to go on.
nothing-to-say = Done.
may-be-repeated = (This may be a repetition: it was not certain whether it arrived.)
