Console.Error.WriteLine("sim: no scenarios yet");
return 1;
